import type { Entropy } from '../ports.js';

/**
 * A UUID of version 7 (RFC 9562 §5.7): the time in ms, then chance. Connections that come one after the other lie side by side in the
 * index and in the view of those that are open, so a crowd of them touches few pages of the disk: with random ids a connect
 * among ten thousand devices wrote twice as much.
 */
export const connectionId = (now: number, entropy: Entropy): string => {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${entropy.uuid().slice(15)}`;
};
