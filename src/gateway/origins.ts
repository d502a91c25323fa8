import ipaddr from 'ipaddr.js';
import { isLoopback } from '../addresses.js';
import { attempt } from '../attempt.js';

/* Which pages may talk to the gateway from a browser (protocol.md §5.5). */

export interface OriginRules {
  readonly allowedOrigins: readonly string[];
  /** Any origin that equals the Host header, also of a public name: the page may have chosen the name. */
  readonly originMayBeHost: boolean;
}

export type OriginFault = 'origin missing or invalid' | 'origin not allowed';

/** What is wrong with an origin; undefined if it may come in. */
export const originFault = (
  origin: string,
  host: string,
  local: boolean,
  rules: OriginRules,
): OriginFault | undefined => {
  const url = parsed(origin);
  if (url === undefined) return 'origin missing or invalid';
  const listed = rules.allowedOrigins.some(
    (allowed) => allowed === '*' || allowed.toLowerCase() === origin.toLowerCase(),
  );
  if (listed) return undefined;
  const ofThisHost = url.host === host.toLowerCase() && (rules.originMayBeHost || isPrivateName(url.hostname));
  const ofThisMachine = local && isLoopbackName(url.hostname);
  return ofThisHost || ofThisMachine ? undefined : 'origin not allowed';
};

const parsed = (origin: string): URL | undefined => (origin === 'null' ? undefined : attempt(() => new URL(origin)));

const bare = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

const isLoopbackName = (hostname: string): boolean => hostname === 'localhost' || isLoopback(bare(hostname));

const PRIVATE_RANGES = new Set(['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat']);

const isPrivateName = (hostname: string): boolean => {
  if (isLoopbackName(hostname) || hostname.endsWith('.local') || hostname.endsWith('.ts.net')) return true;
  const address = bare(hostname);
  return ipaddr.isValid(address) && PRIVATE_RANGES.has(ipaddr.process(address).range());
};
