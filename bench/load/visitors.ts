import type { Visit } from './handshake.js';

/** Who comes, where to, and from which of our addresses. */
export interface Visitors {
  readonly port: number;
  /** Numbers of the devices, taken in turn. */
  readonly devices: { readonly first: number; readonly count: number };
  readonly scopes?: readonly string[];
  /** They come by a name that is not of this host: not programs of it, so they have to be approved. */
  readonly remote?: boolean;
  /** They come through a proxy, each device from an address of its own: the server has to trust 127.0.0.0/8. */
  readonly proxied?: boolean;
}

/**
 * Addresses of one client process: together they have many more ports than connections come within the minute for which the system keeps a
 * port that was used. Where few are left, it looks for one longer than a handshake takes.
 */
const ADDRESSES = 64;
const REMOTE_NAME = 'gateway.example.test';

/** Number of this client process. */
const self = Number(process.argv[2] ?? 0);

/** Spread over the addresses of this process. */
export const ownAddress = (n: number): string => `127.0.${self + 1}.${2 + (n % ADDRESSES)}`;

/** An address of 198.18.0.0/15, which is for benchmarks (RFC 2544). */
export const strangerAddress = (n: number): string => `198.${18 + ((n >> 16) & 1)}.${(n >> 8) & 255}.${n & 255}`;

const headersOf = ({ remote, proxied }: Visitors, device: number): Visit['headers'] => ({
  ...(remote || proxied ? { Host: REMOTE_NAME } : {}),
  ...(proxied ? { 'X-Forwarded-For': strangerAddress(device) } : {}),
});

/** The n-th of this process. */
export const visitOf = (visitors: Visitors, n: number): Visit => {
  const { port, devices, scopes } = visitors;
  const device = devices.first + (n % devices.count);
  return { port, from: ownAddress(n), device, scopes, headers: headersOf(visitors, device) };
};
