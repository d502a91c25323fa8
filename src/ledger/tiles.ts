import { HASH_BYTES, type NodeReader, rootAt } from '../proof/merkle.js';
import { nodesOf, type Tile, tilePath } from '../proof/tile.js';
import { LedgerDamaged } from './damage.js';
import type { Store } from './store.js';

/* The stored tiles of the tree, to read. A tile that has grown since still begins with what it was. */

/** A tile as wide as it was in a tree of the past. Throws LedgerDamaged where it is not there. */
export const readTile = (store: Store, tile: Tile): Buffer => {
  const hashes = store.tile(tile.level, tile.index)?.subarray(0, tile.width * HASH_BYTES);
  if (hashes?.length === tile.width * HASH_BYTES) return hashes;
  throw new LedgerDamaged(`${tilePath(tile)} is missing from its tree, or too short`, undefined);
};

/** Reads the nodes of the tree of the first `size` events. */
export const nodesIn = (store: Store, size: number): NodeReader => nodesOf((tile) => readTile(store, tile), size);

/** The root that the log had with its first `size` events. */
export const rootOf = (store: Store, size: number): Buffer => rootAt(size, nodesIn(store, size));
