import * as E from 'fp-ts/lib/Either.js';
import { isLoopback } from '../addresses.js';
import { keyType, parseVkey, type Vkey } from '../proof/note.js';
import { ConfigError } from './file.js';
import type { GatewayConfig } from './schema.js';

/** Somebody who is asked to cosign what the log says of itself. */
export interface WitnessSetting {
  readonly vkey: Vkey;
  /** What `/add-checkpoint` is put behind, without a slash at its end. */
  readonly url: string;
}

/** Each once: of two keys by one name, or two names for one key, a quorum would count the same word twice. */
export const witnessesOf = ({ audit }: GatewayConfig): readonly WitnessSetting[] => {
  const found: WitnessSetting[] = [];
  for (const [at, { key, url }] of (audit?.witnesses ?? []).entries()) {
    const place = `gateway.audit.witnesses.${at}`;
    const vkey = vkeyOf(key, `${place}.key`);
    if (found.some((other) => other.vkey.key.equals(vkey.key)))
      throw new ConfigError(`${place}.key: this key is that of a witness above`);
    if (found.some((other) => other.vkey.name === vkey.name))
      throw new ConfigError(`${place}.key: a witness above is called ${vkey.name}, too`);
    found.push({ vkey, url: prefixOf(url, `${place}.url`) });
  }
  return found;
};

const vkeyOf = (text: string, place: string): Vkey => {
  const vkey = parseVkey(text);
  if (E.isLeft(vkey)) throw new ConfigError(`${place}: ${vkey.left}`);
  if (vkey.right.type === keyType.cosignature) return vkey.right;
  throw new ConfigError(`${place}: the key of a witness has the type ${keyType.cosignature}; this is that of a log`);
};

const prefixOf = (text: string, place: string): string => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new ConfigError(`${place}: must be an address such as https://witness.example`);
  if (url.protocol === 'http:' && !isHere(url.hostname))
    throw new ConfigError(`${place}: must begin with https:// where it leads beyond this host`);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new ConfigError(`${place}: must be an address alone, without a user, a password, ? or #`);
  return url.href.replace(/\/+$/, '');
};

const isHere = (hostname: string): boolean =>
  hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
