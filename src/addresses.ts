import ipaddr from 'ipaddr.js';

/** An address of this host. It says where somebody is, and nothing about who that is. */
export const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/** One text for each address, as the log has it: IPv4 also where it is written mapped into IPv6, IPv6 compressed. */
export const canonical = (address: string): string =>
  ipaddr.isValid(address) ? ipaddr.process(address).toString() : address;

/** Is it that address, or in that network? Addresses of IPv4 also where they come mapped into IPv6. */
export const isWithin = (address: string, network: string): boolean => {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  if (!network.includes('/')) return ipaddr.isValid(network) && ipaddr.process(network).toString() === ip.toString();
  if (!ipaddr.isValidCIDR(network)) return false;
  const [range, bits] = ipaddr.parseCIDR(network);
  return range.kind() === ip.kind() && ip.match([range, bits] as never);
};
