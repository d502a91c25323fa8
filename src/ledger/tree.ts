import { HASH_BYTES, leafHash, subtreesOf, TreeEdge } from '../proof/merkle.js';
import { TILE_HEIGHT, TILE_WIDTH } from '../proof/tile.js';
import { LedgerDamaged } from './damage.js';
import type { Newest } from './newest.js';
import type { Position } from './position.js';
import type { Reader } from './reader.js';
import type { Store } from './store.js';

/*
 * The Merkle tree over the stored bytes of the events (RFC 6962; event 1 is leaf 0). On the disk it is the tiles of tlog-tiles: 256
 * hashes a tile, those of level 0 are leaves and each of a higher level is the root of a whole tile below. What is new in a tile that
 * is not full yet is written with each batch, so that the tree is always that of the position beside it.
 */

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
/** Leaves that may lie beside the tile they belong to. They are 1 KiB then, and the row of the position beside them has room in the page. */
const NEWEST = 32;
/** A tile as it is stored: its hashes one after another. */
export interface StoredTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

/** A tile that is not full: the first `width` hashes of `room`. What lies behind them is not in the tree. */
interface Open {
  readonly index: number;
  readonly width: number;
  readonly room: Buffer;
}

/** What a batch adds. It becomes the tree when it is on the disk. */
export interface Growth {
  readonly edge: TreeEdge;
  readonly open: readonly Open[];
  /** Those that are others now. */
  readonly tiles: readonly StoredTile[];
  /** To be written with the batch: the same, with as little of them as will do. */
  readonly stored: StoredTree;
}

/** What is written of the tree: tiles, and the newest leaves if they are in none of these. */
export interface StoredTree {
  readonly tiles: readonly StoredTile[];
  readonly newest?: Newest;
}

const begun = (index: number): Open => ({ index, width: 0, room: Buffer.alloc(TILE_BYTES) });

export class Tree {
  private constructor(
    private edge: TreeEdge,
    private open: readonly Open[],
    /** Leaves of the first open tile that are known to be stored with it. */
    private inTile = 0,
  ) {}

  static get empty(): Tree {
    return new Tree(TreeEdge.of(0), []);
  }

  /** The tree of a position, from the tiles at its edge. Throws LedgerDamaged where they are not those of its root. */
  static at({ seq, root }: Position, store: Store): Tree {
    const open: Open[] = [];
    for (let level = 0, width = seq; width > 0; level++, width = Math.floor(width / TILE_WIDTH)) {
      const index = Math.floor(width / TILE_WIDTH);
      const stored = store.tile(level, index);
      const tile = { index, width: width % TILE_WIDTH, room: Buffer.alloc(TILE_BYTES) };
      if (tile.width > 0 && (stored?.length ?? 0) < tile.width * HASH_BYTES) throw unfit(level, index);
      stored?.copy(tile.room, 0, 0, tile.width * HASH_BYTES);
      open.push(tile);
    }
    const tree = new Tree(edgeOf(seq, open), open);
    if (tree.root !== root)
      throw new LedgerDamaged('the edge of its tree does not give the root it was left with', undefined);
    return tree;
  }

  /** Number of leaves, which is the number of the last event. */
  get size(): number {
    return this.edge.size;
  }

  /** In hex. */
  get root(): string {
    return this.edge.root().toString('hex');
  }

  /** What becomes of it with these events, by their exact bytes. Nothing is changed yet. */
  grown(events: readonly Buffer[]): Growth {
    const edge = this.edge.copy();
    const open = [...this.open];
    const full: StoredTile[] = [];
    const put = (height: number, _: number, hash: Buffer): void => {
      if (height % TILE_HEIGHT !== 0) return;
      const level = height / TILE_HEIGHT;
      const { index, width, room } = open[level] ?? begun(0);
      hash.copy(room, width * HASH_BYTES);
      if (width + 1 < TILE_WIDTH) open[level] = { index, width: width + 1, room };
      else {
        full.push({ level, index, hashes: room });
        open[level] = begun(index + 1);
      }
    };
    for (const bytes of events) edge.push(leafHash(bytes), put);
    const tiles = [...full, ...this.partsOf(open)];
    return { edge, open, tiles, stored: this.leastOf(tiles, open[0] ?? begun(0)) };
  }

  /** It is on the disk. */
  written({ edge, open, stored }: Growth): void {
    const [leaves = begun(0)] = open;
    this.edge = edge;
    this.open = open;
    this.inTile = stored.newest?.after ?? leaves.width;
  }

  /** A few leaves are stored beside their tile instead of all of it. */
  private leastOf(tiles: readonly StoredTile[], { index, width, room }: Open): StoredTree {
    const after = index === this.open[0]?.index ? this.inTile : 0;
    if (width === 0 || width - after > NEWEST) return { tiles };
    const hashes = room.subarray(after * HASH_BYTES, width * HASH_BYTES);
    return {
      tiles: tiles.filter((tile) => tile.level > 0 || tile.index !== index),
      newest: { index, after, hashes },
    };
  }

  /** Tiles that are not full. */
  get parts(): readonly StoredTile[] {
    return this.open.flatMap(partOf);
  }

  /** Tiles that are not full and are others than before. */
  private partsOf(open: readonly Open[]): readonly StoredTile[] {
    return open.flatMap((tile, level) => (tile === this.open[level] ? [] : partOf(tile, level)));
  }
}

const partOf = ({ index, width, room }: Open, level: number): readonly StoredTile[] =>
  width === 0 ? [] : [{ level, index, hashes: room.subarray(0, width * HASH_BYTES) }];

const unfit = (level: number, index: number): LedgerDamaged =>
  new LedgerDamaged(`tile ${index} of level ${level} of its tree is missing or too short`, undefined);

/** The edge is in the open tiles: of each level as many subtrees as its width has bits. */
const edgeOf = (size: number, open: readonly Open[]): TreeEdge => {
  const hashes = subtreesOf(size).map(({ height, index }) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const { room } = open[level] ?? begun(0);
    const leaves = 2 ** (height % TILE_HEIGHT);
    const first = (index * leaves) % TILE_WIDTH;
    return rootOf(room, first, leaves);
  });
  return TreeEdge.of(size, hashes);
};

/** The root of so many neighbouring hashes of a tile. */
const rootOf = (hashes: Buffer, first: number, count: number): Buffer => {
  const edge = TreeEdge.of(0);
  let root: Buffer | undefined;
  for (let at = first; at < first + count; at++)
    edge.push(Buffer.from(hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES)), (_, __, hash) => {
      root = hash;
    });
  return root ?? Buffer.alloc(HASH_BYTES);
};

/** Leaves that are hashed between two commits. */
const STRIDE = 65_536;

/** Hashes events into a tree and hands over its tiles as they come to be, whole. */
const planted = (events: Iterable<Buffer>, store: (tiles: readonly StoredTile[]) => void): Tree => {
  const tree = Tree.empty;
  let leaves: Buffer[] = [];
  const grow = (): void => {
    const growth = tree.grown(leaves);
    store(growth.tiles);
    tree.written(growth);
    leaves = [];
  };
  for (const bytes of events) if (leaves.push(bytes) === STRIDE) grow();
  grow();
  return tree;
};

/** Every event up to a position. Without one of them there is no tree. */
function* everyEvent(reader: Reader, position: Position): Iterable<Buffer> {
  let next = 1;
  for (const { seq, bytes } of reader.appends({ upTo: position.seq })) {
    if (seq !== next++) break;
    yield bytes;
  }
  if (next <= position.seq)
    throw new LedgerDamaged(`event ${next} cannot be read, and without it there is no tree`, next - 1);
}

/**
 * Makes the tree of a log that was written before there was a tree. The root goes with the last of it, so that one that was cut short
 * begins again.
 */
export const plant = (store: Store, reader: Reader, position: Position): Position => {
  const commit = (tiles: readonly StoredTile[]): void =>
    store.commit({ events: [], changes: [], position: { ...position, root: undefined }, tree: { tiles } });
  const { root } = planted(everyEvent(reader, position), commit);
  const rooted = { ...position, root };
  store.commit({ events: [], changes: [], position: rooted });
  return rooted;
};

/**
 * Makes the tiles anew, if the events still give the root that the log has: then it was a tile that was damaged. Those at the edge come
 * first and all at once, so that one that is cut short leaves a tree. Throws LedgerDamaged if it was not a tile.
 */
export const replant = (store: Store, reader: Reader, position: Position): void => {
  const commit = (tiles: readonly StoredTile[]): void =>
    store.commit({ events: [], changes: [], position, tree: { tiles } });
  const tree = planted(everyEvent(reader, position), () => {});
  if (tree.root !== position.root)
    throw new LedgerDamaged(
      'its events are not those that its tree was made of: openclaw audit verify says which',
      undefined,
    );
  commit(tree.parts);
  planted(everyEvent(reader, position), (tiles) => commit(tiles.filter(({ hashes }) => hashes.length === TILE_BYTES)));
};
