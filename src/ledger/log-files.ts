import * as E from 'fp-ts/lib/Either.js';
import type { SignedCheckpoint } from '../proof/checkpoint.js';
import { noteText } from '../proof/note.js';
import { type Bundle, bundleOf, entriesAt, TILE_WIDTH, type Tile, tileAt } from '../proof/tile.js';
import { LedgerDamaged } from './damage.js';
import type { Reader } from './reader.js';

/*
 * The log as the files of tlog-tiles, each under its path, for the tree of one checkpoint. Entries are the exact stored bytes of the
 * events, whether they lie in the log or in the archive. Personal data is not part of them.
 */

export const CHECKPOINT = 'checkpoint';

/**
 * The file at a path; undefined if the tree of the checkpoint has none there. Partial tiles of its past are answered too: they are the
 * beginning of what there is. Throws LedgerDamaged or SegmentUnreadable.
 */
export const fileAt = (log: Reader, { note, checkpoint }: SignedCheckpoint, path: string): Buffer | undefined => {
  if (path === CHECKPOINT) return Buffer.from(noteText(note));
  const tile = tileAt(path);
  if (E.isRight(tile)) return isIn(checkpoint.size, tile.right) ? log.tile(tile.right) : undefined;
  const bundle = entriesAt(path);
  if (E.isLeft(bundle) || !isIn(checkpoint.size, { level: 0, ...bundle.right })) return undefined;
  return bundleOf(leavesIn(log, bundle.right));
};

/** Does a tree of this size have all of the hashes of a tile? */
export const isIn = (size: number, { level, index, width }: Tile): boolean =>
  index * TILE_WIDTH + width <= Math.floor(size / TILE_WIDTH ** level);

/** The events of a bundle. Throws LedgerDamaged or SegmentUnreadable. */
export const leavesIn = (log: Reader, { index, width }: Bundle): readonly Buffer[] => {
  const after = index * TILE_WIDTH;
  const leaves: Buffer[] = [];
  for (const { seq, bytes } of log.appends({ after, upTo: after + width })) {
    if (seq !== after + leaves.length + 1) break;
    leaves.push(bytes);
  }
  if (leaves.length === width) return leaves;
  throw new LedgerDamaged(`event ${after + leaves.length + 1} is missing`, undefined);
};
