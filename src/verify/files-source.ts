import * as E from 'fp-ts/lib/Either.js';
import { openCheckpoint } from '../proof/checkpoint.js';
import { entriesPath, TILE_WIDTH, tilePath } from '../proof/tile.js';
import type { Leaf, Leaves, Source } from './source.js';

/** Reads a file of a log in the layout of tlog-tiles; undefined if it is not there. */
export type FileReader = (path: string) => Promise<Buffer | undefined>;

/** A log as tlog-tiles: in a folder, or over HTTP. It has what its checkpoint says it has. */
export const filesSource = async (name: string, read: FileReader): Promise<Source> => {
  const checkpoint = (await read('checkpoint'))?.toString();
  const opened = checkpoint === undefined ? undefined : openCheckpoint(checkpoint);
  const size = opened !== undefined && E.isRight(opened) ? opened.right.checkpoint.size : 0;
  return {
    name,
    checkpoint,
    size,
    root: undefined,
    sizeIsSigned: true,
    tilesGrow: false,
    found: [],
    leaves: () => leavesOf(read, size),
    tile: (tile) => read(tilePath(tile)),
    later: () => [],
    close: async () => {},
  };
};

async function* leavesOf(read: FileReader, size: number): AsyncIterable<Leaves> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const bundle = await read(entriesPath({ index, width }));
    const found = bundle === undefined ? [] : salvaged(bundle);
    const leaves: (Leaf | undefined)[] = found.slice(0, width);
    leaves.length = width;
    yield { index, leaves, extra: Math.max(0, found.length - width) };
  }
}

const LENGTH_BYTES = 2;

/** The entries of a bundle up to where it is cut short. */
const salvaged = (bundle: Buffer): readonly Leaf[] => {
  const leaves: Leaf[] = [];
  for (let at = 0; at + LENGTH_BYTES <= bundle.length; ) {
    const begin = at + LENGTH_BYTES;
    const end = begin + bundle.readUInt16BE(at);
    if (end > bundle.length) break;
    leaves.push({ bytes: bundle.subarray(begin, end), origin: null });
    at = end;
  }
  return leaves;
};
