import * as E from 'fp-ts/lib/Either.js';
import { openCheckpoint } from '../proof/checkpoint.js';
import { entriesOf, entriesPath, TILE_WIDTH, tilePath } from '../proof/tile.js';
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
    const leaves: (Leaf | undefined)[] = [];
    let extra = 0;
    for (const bytes of bundle === undefined ? [] : entriesOf(bundle)) {
      if (leaves.length < width) leaves.push({ bytes, origin: null });
      else extra++;
    }
    leaves.length = width;
    yield { index, leaves, extra };
  }
}
