import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { HASH_BYTES, type NodeReader, nodeHash } from './merkle.js';

/*
 * A log as files (C2SP tlog-tiles): the hashes of every eighth height of the tree, and the leaves themselves, cut into tiles of 256.
 * A full tile never changes; the last of each level is partial and has its width in its name.
 */

export const TILE_WIDTH = 256;
/** Heights of the tree from one level of tiles to the next. */
export const TILE_HEIGHT = 8;
const LEVELS = 64;

/** The `index`-th run of up to 256 leaves. */
export interface Bundle {
  readonly index: number;
  /** How many there are, 1 to 256. */
  readonly width: number;
}

/** The same of the hashes of a level: level 0 has those of the leaves, each level above those of whole tiles below. */
export interface Tile extends Bundle {
  readonly level: number;
}

export const tilePath = ({ level, index, width }: Tile): string => `tile/${level}/${place(index)}${partly(width)}`;

export const entriesPath = ({ index, width }: Bundle): string => `tile/entries/${place(index)}${partly(width)}`;

/** 1234067 is `x001/x234/067`. */
const place = (index: number): string => {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
};

const partly = (width: number): string => (width === TILE_WIDTH ? '' : `.p/${width}`);

const PATH = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** Names of files come from whoever made the folder: exactly what `tilePath` prints is read. */
export const tileAt = (path: string): Either<string, Tile> => {
  const [, level = '', index = '', width] = PATH.exec(path) ?? [];
  const tile = { level: level === 'entries' ? Number.NaN : Number(level), ...bundleNamed(index, width) };
  return tile.level < LEVELS && isBundle(tile) && tilePath(tile) === path
    ? E.right(tile)
    : E.left('not the path of a tile');
};

/** The same for leaves. */
export const entriesAt = (path: string): Either<string, Bundle> => {
  const [, , index = '', width] = PATH.exec(path) ?? [];
  const bundle = bundleNamed(index, width);
  return isBundle(bundle) && entriesPath(bundle) === path ? E.right(bundle) : E.left('not the path of entries');
};

const bundleNamed = (index: string, width: string | undefined): Bundle => ({
  index: Number(index.replaceAll(/[x/]/g, '')),
  width: width === undefined ? TILE_WIDTH : Number(width),
});

const isBundle = ({ index, width }: Bundle): boolean =>
  Number.isSafeInteger(index) && width >= 1 && width <= TILE_WIDTH;

/** All tiles of a tree, level by level from the leaves up, each from the left. Those of level 0 are the entry bundles, too. */
export function* tilesOf(size: number): Generator<Tile> {
  for (let level = 0, hashes = size; hashes > 0; level++, hashes = Math.floor(hashes / TILE_WIDTH))
    for (let index = 0; index * TILE_WIDTH < hashes; index++)
      yield { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
}

const LENGTH_BYTES = 2;
const LONGEST_ENTRY = 0xffff;

/** Of each leaf the length of its bytes, big-endian in 2 bytes, and the bytes. Throws where one has more than 65,535. */
export const bundleOf = (entries: readonly Buffer[]): Buffer => {
  const bundle = Buffer.alloc(entries.reduce((sum, { length }) => sum + LENGTH_BYTES + length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > LONGEST_ENTRY) throw new RangeError(`a leaf of ${entry.length} bytes`);
    at = bundle.writeUInt16BE(entry.length, at);
    at += entry.copy(bundle, at);
  }
  return bundle;
};

/** The leaves of a bundle one by one, as views of it, up to where it is cut short. The bytes come from whoever made the folder. */
export function* entriesOf(bundle: Buffer): Iterable<Buffer> {
  for (let at = 0; at + LENGTH_BYTES <= bundle.length; ) {
    const begin = at + LENGTH_BYTES;
    const end = begin + bundle.readUInt16BE(at);
    if (end > bundle.length) return;
    yield bundle.subarray(begin, end);
    at = end;
  }
}

/** The same where they have to be so many, and nothing else. */
export const entriesIn = (bundle: Buffer, width: number): Either<string, readonly Buffer[]> => {
  const entries: Buffer[] = [];
  let read = 0;
  for (const leaf of entriesOf(bundle)) {
    if (entries.length === width) break;
    entries.push(leaf);
    read += LENGTH_BYTES + leaf.length;
  }
  if (entries.length < width && read < bundle.length)
    return E.left(`cut short in the middle of leaf ${entries.length}`);
  if (read < bundle.length) return E.left(`more than ${width} leaves`);
  return entries.length === width ? E.right(entries) : E.left(`${entries.length} leaves instead of ${width}`);
};

/** Tiles kept with the hashes inside them, each some 40 KB at most: a proof visits two or three of each level. */
const TILES_KEPT = 64;

/**
 * Reads the hashes of perfect subtrees out of the tiles of a tree of this size. Throws what `readTile` throws, and where it has another
 * number of bytes than the tile is wide; that they are the right ones is for who compares the root.
 */
export const nodesOf = (readTile: (tile: Tile) => Buffer, size: number): NodeReader => {
  const kept = new Map<string, Inside>();

  const open = (level: number, index: number): Inside => {
    const key = `${level}/${index}`;
    const inside = kept.get(key) ?? new Inside(readTile, tileIn(size, level, index));
    kept.delete(key);
    kept.set(key, inside);
    for (const oldest of kept.keys()) {
      if (kept.size <= TILES_KEPT) break;
      kept.delete(oldest);
    }
    return inside;
  };

  return (height, index) => {
    const level = Math.floor(height / TILE_HEIGHT);
    const within = height % TILE_HEIGHT;
    const across = TILE_WIDTH / 2 ** within;
    return open(level, Math.floor(index / across)).hash(across + (index % across));
  };
};

/** The tile at this place in a tree of this size. */
const tileIn = (size: number, level: number, index: number): Tile => {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return { level, index, width: Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH) };
};

/**
 * A tile and the tree inside it, whose nodes are numbered from its root, 1, so that those below `n` are `2n` and `2n + 1`, and the
 * hashes of the tile itself begin at 256. Each is computed when it is first asked for.
 */
class Inside {
  readonly #bytes: Buffer;
  readonly #hashes: (Buffer | undefined)[] = [];

  constructor(readTile: (tile: Tile) => Buffer, tile: Tile) {
    if (!(tile.width > 0)) throw new RangeError(`${tilePath(tile)} is not in the tree`);
    this.#bytes = readTile(tile);
    if (this.#bytes.length === tile.width * HASH_BYTES) return;
    throw new RangeError(`${tilePath(tile)} has ${this.#bytes.length} bytes instead of ${tile.width * HASH_BYTES}`);
  }

  hash(node: number): Buffer {
    const known = this.#hashes[node];
    if (known !== undefined) return known;
    const at = (node - TILE_WIDTH) * HASH_BYTES;
    const hash =
      node >= TILE_WIDTH
        ? this.#bytes.subarray(at, at + HASH_BYTES)
        : nodeHash(this.hash(2 * node), this.hash(2 * node + 1));
    this.#hashes[node] = hash;
    return hash;
  }
}
