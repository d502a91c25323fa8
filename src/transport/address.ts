import ipaddr from 'ipaddr.js';

/** One text for each address: IPv4 also where it came mapped into IPv6, IPv6 compressed; empty if there is none. */
export const canonicalAddress = (bytes: Buffer): string => {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  return ipaddr.process(ipaddr.fromByteArray([...bytes]).toString()).toString();
};

/** An address as it stands in a URL: IPv6 in brackets. */
export const hostAndPort = ({ host, port }: { readonly host: string; readonly port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;
