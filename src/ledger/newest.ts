import { HASH_BYTES } from '../proof/merkle.js';
import { TILE_WIDTH } from '../proof/tile.js';

/*
 * The newest leaves of the tree. A tile that is not full is up to 8 KiB, and written anew with every commit it would be most of what a small
 * one writes; so it is stored only now and then, and the leaves since lie in one small row, that is written beside the position.
 */

/** Leaves that are in no stored tile yet, or in one that a later commit has made wider. */
export interface Newest {
  /** Of their tile. */
  readonly index: number;
  /** Leaves of that tile before them. */
  readonly after: number;
  readonly hashes: Buffer;
}

const NUMBER_BYTES = 6;

/** The number of the first leaf, and the hashes. */
export const newestRow = ({ index, after, hashes }: Newest): Buffer => {
  const row = Buffer.allocUnsafe(NUMBER_BYTES + hashes.length);
  row.writeUIntBE(index * TILE_WIDTH + after, 0, NUMBER_BYTES);
  hashes.copy(row, NUMBER_BYTES);
  return row;
};

/** A tile of level 0 with those of its leaves that are in the row. A row that is cut short has none. */
export const withNewest = (index: number, stored: Buffer | undefined, row: Buffer): Buffer | undefined => {
  if (row.length <= NUMBER_BYTES) return stored;
  const first = row.readUIntBE(0, NUMBER_BYTES);
  const before = (first % TILE_WIDTH) * HASH_BYTES;
  const hashes = row.subarray(NUMBER_BYTES);
  const length = stored?.length ?? 0;
  if (Math.floor(first / TILE_WIDTH) !== index || length < before || length >= before + hashes.length) return stored;
  return stored === undefined ? hashes : Buffer.concat([stored.subarray(0, before), hashes]);
};
