import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { Test } from 'tap';
import { loadKeys } from '../../src/credentials/keys.js';
import { Archiver } from '../../src/ledger/archiver.js';
import { openCheckpoint, type SignedCheckpoint } from '../../src/proof/checkpoint.js';
import { leafHash, TreeEdge } from '../../src/proof/merkle.js';
import { parseVkey, signedBy } from '../../src/proof/note.js';
import { entriesIn, entriesPath, tilePath, tilesOf } from '../../src/proof/tile.js';
import { systemEntropy } from '../../src/runtime.js';
import { connect, type Frame } from './device.js';
import { right } from './either.js';
import { folder, openLedger, write } from './ledger.js';
import { life } from './life.js';
import { tileOf } from './tree.js';

/* Somebody who has the files of a log, wherever from, and its key, and nothing else of ours than src/proof. */

export interface Whole {
  readonly signed: SignedCheckpoint;
  readonly leaves: readonly Buffer[];
}

/** Reads every file of a log and checks all of it; throws where something is not as it has to be. */
export const readWhole = async (read: (path: string) => Promise<Buffer> | Buffer, key: string): Promise<Whole> => {
  const signed = right(openCheckpoint(await read('checkpoint')));
  const { note, checkpoint } = signed;
  if (!signedBy(note, right(parseVkey(key)))) throw new Error('not signed by the key of the log');
  const nodes = new Map<string, Buffer>();
  const edge = TreeEdge.of(0);
  const leaves: Buffer[] = [];
  const tiles = [...tilesOf(checkpoint.size)];
  for (const bundle of tiles.filter(({ level }) => level === 0))
    for (const leaf of right(entriesIn(await read(entriesPath(bundle)), bundle.width))) {
      leaves.push(leaf);
      edge.push(leafHash(leaf), (height, index, hash) => void nodes.set(`${height}/${index}`, hash));
    }
  if (!edge.root().equals(checkpoint.root)) throw new Error('another root');
  const expected = tileOf((height, index) => nodes.get(`${height}/${index}`) as Buffer);
  for (const tile of tiles) if (!expected(tile).equals(await read(tilePath(tile)))) throw new Error(tilePath(tile));
  return { signed, leaves };
};

/** What a gateway that runs answers the host who asks for a checkpoint, or for something else. */
export const askedOf = async (state: string, method = 'audit.checkpoint', params: object = {}): Promise<Frame> => {
  const { wire } = await connect(`ws+unix://${join(state, 'gateway.sock')}:/`, undefined, {
    scopes: ['operator.admin'],
  });
  const { payload } = await wire.call(method, params);
  wire.end();
  return payload;
};

/** A state folder with a log of about so many events, of which old ticks and connections are in the archive. */
export const stateWith = async (t: Test, events: number): Promise<string> => {
  const state = folder(t);
  await lived(state, events, 1);
  return state;
};

/** More events for the log of a state folder, in which no gateway runs. */
export const lived = async (state: string, events: number, seed: number): Promise<void> => {
  const path = join(state, 'ledger');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const first = await openLedger(path);
  loadKeys(join(path, 'keys.json'), systemEntropy(), first.log.position > 0 ? 'refuse' : 'make');
  await write(first, ...Array.from({ length: events }, life(seed)).flat());
  await first.close();
  /* What is in the index can be moved, and that is all of it after a close. */
  const ledger = await openLedger(path);
  const by = { kind: 'gateway', rule: 'test' } as const;
  const archiver = new Archiver({ ledger, segment: { events: 300, bytes: 1_000_000 } });
  const moved = await archiver.run({ before: Number.MAX_SAFE_INTEGER, by });
  if (E.isLeft(moved)) throw new Error(moved.left.message);
  await ledger.close();
};

/** Every file below a folder, by its path. */
export const filesIn = (path: string, below = ''): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readdirSync(join(path, below), { withFileTypes: true }).flatMap((entry) => {
      const name = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory()
        ? Object.entries(filesIn(path, name))
        : [[name, readFileSync(join(path, name)).toString('base64')]];
    }),
  );
