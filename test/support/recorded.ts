import type { Test } from 'tap';
import { scan } from '../../src/ledger/scan.js';
import { Store } from '../../src/ledger/store.js';
import { checkpointText } from '../../src/proof/checkpoint.js';
import { noteText, signNote } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { TILE_WIDTH, type Tile, tilesOf } from '../../src/proof/tile.js';
import type { Leaf, Source } from '../../src/verify/source.js';
import { right } from './either.js';
import { folder, openLedger, write } from './ledger.js';
import { life } from './life.js';
import { LOG_KEY, ORIGIN, policyText } from './log.js';

/* A log that a ledger wrote, as things that can be changed one by one. */

export interface Recorded {
  leaves: (Leaf | undefined)[];
  /** By level and index. */
  readonly tiles: Map<string, Buffer>;
  checkpoint: string | undefined;
  root: string | undefined;
  size: number;
}

export const policy = right(parsePolicy(policyText()));

export const checkpointFor = (size: number, root: Buffer): string => {
  const text = checkpointText({ origin: ORIGIN, size, root });
  return noteText({ text, signatures: [signNote(text, ORIGIN, LOG_KEY)] });
};

/** The life of a gateway of some events, signed for as a whole. */
export const recordedIn = async (t: Test, events: number, path = folder(t)): Promise<Recorded> => {
  const ledger = await openLedger(path);
  const next = life(7);
  while (ledger.tip.size < events) await write(ledger, ...next().slice(0, events - ledger.tip.size));
  await ledger.close();
  return readFrom(path);
};

/** What is in the folder of a ledger, with a checkpoint for all of it. */
export const readFrom = async (path: string): Promise<Recorded> => {
  const store = new Store({ path, readOnly: true });
  const { seq: size = 0, root } = store.position() ?? {};
  const checkpoint = checkpointFor(size, Buffer.from(root ?? '', 'hex'));
  const leaves = [...scan(() => store, 1, size)].map(({ bytes, origin }) => ({ bytes, origin }));
  const tiles = new Map([...tilesOf(size)].map((tile) => [keyOf(tile), store.tile(tile.level, tile.index) as Buffer]));
  await store.close();
  return { leaves, tiles, checkpoint, root, size };
};

const keyOf = ({ level, index }: Tile): string => `${level}/${index}`;

export const copyOf = (log: Recorded): Recorded => ({ ...log, leaves: [...log.leaves], tiles: new Map(log.tiles) });

export const sourceOf = (log: Recorded): Source => ({
  name: 'test',
  checkpoint: log.checkpoint,
  size: log.size,
  root: log.root,
  sizeIsSigned: false,
  tilesGrow: false,
  found: [],
  leaves: () => leavesOf(log),
  tile: async (tile) => log.tiles.get(keyOf(tile)),
  later: () => [],
  close: async () => {},
});

async function* leavesOf({ leaves, size }: Recorded): ReturnType<Source['leaves']> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const part = leaves.slice(index * TILE_WIDTH, index * TILE_WIDTH + width);
    part.length = width;
    yield { index, leaves: part, extra: 0 };
  }
}
