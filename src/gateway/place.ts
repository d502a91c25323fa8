import ipaddr from 'ipaddr.js';
import { isLoopback, isWithin } from '../addresses.js';
import type { Peer } from '../transport/transport.js';

/*
 * Where a connection comes from, and whether that is this host. Locality lets programs in without a person, so it is decided
 * from what cannot be claimed: a loopback peer, no sign of a proxy, and a Host that names this machine (protocol.md §5.4).
 */

export interface Place {
  /** The client as far as it can be trusted: behind a trusted proxy the address it forwards for, else the socket's. */
  readonly address: string;
  /** Budgets are kept by this: the address, of IPv6 the first 64 bits. Strangers behind a proxy on this host are not its programs. */
  readonly source: string;
  /** A program on this host, as far as the network can tell. Loopback is not identity: browsers are never treated as local. */
  readonly local: boolean;
  /** The socket's other end is this host, and speaks for itself. */
  readonly loopback: boolean;
  /** It came through the socket file of the state folder: whoever can do that owns the host. */
  readonly hostSocket: boolean;
}

export interface PlaceRules {
  readonly trustedProxies: readonly string[];
  readonly realIpHeader: boolean;
}

export const placeOf = (peer: Peer, rules: PlaceRules): Place => {
  if (peer.hostSocket) return { address: '', source: 'host', local: true, loopback: true, hostSocket: true };
  const loopback = isLoopback(peer.address);
  const address = peer.forwarded && isTrusted(peer.address, rules) ? forwardedFor(peer, rules) : peer.address;
  const local = loopback && !peer.forwarded && isLocalName(peer.host);
  return {
    address,
    source: isLoopback(address) && !local ? `via ${address}` : sourceOf(address),
    local,
    loopback: loopback && !peer.forwarded,
    hostSocket: false,
  };
};

/** Does it speak for somebody else without being trusted to? */
export const speaksForOthers = (peer: Peer, rules: PlaceRules): boolean =>
  peer.forwarded && !peer.hostSocket && !isTrusted(peer.address, rules);

const LOCAL_NAME = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$|^[a-z0-9.-]+\.ts\.net(?::\d+)?$/i;

const isLocalName = (host: string): boolean => LOCAL_NAME.test(host);

/** The right-most address that is not a proxy of ours. One that says loopback says nothing: the proxy's own address stands. */
const forwardedFor = (peer: Peer, rules: PlaceRules): string => {
  const hops = peer.forwardedFor
    .split(',')
    .map((hop) => parsed(hop))
    .reverse();
  const client =
    hops.find((hop) => hop !== undefined && !isTrusted(hop, rules)) ??
    (rules.realIpHeader ? parsed(peer.realIp) : undefined);
  return client === undefined || isLoopback(client) ? peer.address : client;
};

const parsed = (text: string): string | undefined => {
  const bare = text
    .trim()
    .replace(/^\[(.*)\](?::\d+)?$/, '$1')
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
};

const isTrusted = (address: string, { trustedProxies }: PlaceRules): boolean =>
  trustedProxies.some((proxy) => isWithin(address, proxy));

const IPV6_NETWORK_PARTS = 4;

/** Whoever has one address of a /64 has them all. */
const sourceOf = (address: string): string => {
  if (!address.includes(':') || !ipaddr.IPv6.isValid(address)) return address;
  const network = ipaddr.IPv6.parse(address).parts.slice(0, IPV6_NETWORK_PARTS);
  return `${network.map((part) => part.toString(16)).join(':')}::/64`;
};
