import type { Keys } from '../credentials/keys.js';
import type { Entropy } from '../ports.js';

/** One that was just made: what is in the URL, and what the log knows it by. */
export interface FreshCapability {
  readonly capability: string;
  readonly digest: string;
}

type Digest = Pick<Keys, 'digest'>;

/** So many that nobody guesses one; the length is that of the original's (protocol.md §10). */
const BYTES = 18;

export const capabilityDigest = (keys: Digest, capability: string): string => keys.digest(`canvas ${capability}`);

export const freshCapability = (keys: Digest, entropy: Entropy): FreshCapability => {
  const capability = entropy.bytes(BYTES).toString('base64url');
  return { capability, digest: capabilityDigest(keys, capability) };
};
