import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** An address of this host. It says where somebody is, and nothing about who that is. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** One text for each address, as the log has it: IPv4 also where it is written mapped into IPv6, IPv6 compressed. */
export const canonical = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;

type Address = ReturnType<typeof ipaddr.process>;

/** Networks as they are compared: to read one anew for each connection costs more than all else that is done with its address. */
const networks = new LRUCache<string, (ip: Address) => boolean>({ max: 256 });

/** Is it that address, or in that network? Addresses of IPv4 also where they come mapped into IPv6. */
export const isWithin = (address: string, network: string): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const known = networks.get(network);
  const has = known ?? within(network);
  if (known === undefined) networks.set(network, has);
  return has(ipaddr.process(address));
};

const within = (network: string): ((ip: Address) => boolean) => {
  if (ipaddr.isValid(network)) {
    const only = ipaddr.process(network).toString();
    return (ip) => ip.toString() === only;
  }
  if (!ipaddr.isValidCIDR(network)) return () => false;
  const [range, bits] = ipaddr.parseCIDR(network);
  return (ip) => range.kind() === ip.kind() && ip.match([range, bits] as never);
};
