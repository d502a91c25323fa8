import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../attempt.js';
import { type Codec, closed, decode, integer, mapOf, textThat } from '../codec.js';
import { LedgerDamaged } from './damage.js';

/** What the log says of itself, written with every batch. */
export interface Position {
  /** Number of the last event; 0 in an empty log. */
  readonly seq: number;
  /** Its time (ms). */
  readonly at: number;
  /** Root of the Merkle tree over all events up to it, in hex; a log that was written before there was a tree has none yet. */
  readonly root?: string | undefined;
  /** Version of each fold whose rows are stored: another version means they must be made anew. */
  readonly views: { readonly [view: string]: number };
}

const root = textThat((text) => /^[0-9a-f]{64}$/.test(text), 'must be a SHA-256 in hex');
const position: Codec<Position> = closed({ seq: integer(0), at: integer(0), views: mapOf(integer(0)) }, { root });

/** Whoever got at the file may have written anything there. Throws LedgerDamaged. */
export const positionIn = (text: string): Position => {
  const found = decode(
    position,
    attempt(() => JSON.parse(text)),
  );
  if (E.isLeft(found)) throw new LedgerDamaged('its position cannot be read', undefined);
  return found.right;
};
