import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { SignedCheckpoint } from '../proof/checkpoint.js';
import { HASH_BYTES, rootAt } from '../proof/merkle.js';
import { noteText } from '../proof/note.js';
import { bundleOf, entriesPath, TILE_WIDTH, tilePath } from '../proof/tile.js';
import { LedgerDamaged } from './damage.js';
import { leavesIn } from './log-files.js';
import { LogFolder } from './log-folder.js';
import type { Reader } from './reader.js';
import { type StoredTile, Tree } from './tree.js';

/*
 * Writes the log into a folder. The log is read twice: first to see that it is what its checkpoint says, before anything is touched, and then
 * to write. Of the tree that is stored with the log nothing is believed: the tiles are made from the events.
 */

/** Why a folder is not written into. */
export interface ExportRefused {
  readonly kind: 'no-export' | 'another-log' | 'longer' | 'forked';
  readonly why: string;
}

export interface Exported {
  readonly size: number;
  readonly root: Buffer;
  /** Of all files, the checkpoint among them. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were not there, or were others. */
  readonly written: number;
}

/** Told how many events have been checked, and written. */
export type Progress = (act: 'checked' | 'written', events: number) => void;

export const exportLog = async (
  log: Reader,
  signed: SignedCheckpoint,
  path: string,
  progress: Progress,
): Promise<Either<ExportRefused, Exported>> => {
  const folder = new LogFolder(path);
  const found = await folder.checkpoints();
  if (E.isLeft(found)) return E.left({ kind: 'no-export', why: `${path} ${found.left}` });
  const refused = found.right.map((older) => refusedFor(log, older, signed, path)).find((why) => why !== undefined);
  if (refused !== undefined) return E.left(refused);
  mustBeWhole(log, signed, (events) => progress('checked', events));

  await folder.begin(signed);
  const { size, root } = signed.checkpoint;
  const text = Buffer.from(noteText(signed.note));
  let [files, bytes, written] = [1, text.length, 0];
  const all = filesOf(log, size, (events) => progress('written', events));
  for (let next = all.next(); !next.done; next = all.next()) {
    const file = next.value;
    files++;
    bytes += file.bytes.length;
    if (await folder.place(file.path, file.bytes)) written++;
  }
  if (await folder.end(signed)) written++;
  return E.right({ size, root, files, bytes, written });
};

/** Is what the folder was written for the beginning of this log? */
const refusedFor = (
  log: Reader,
  { checkpoint: older }: SignedCheckpoint,
  { checkpoint }: SignedCheckpoint,
  path: string,
): ExportRefused | undefined => {
  if (older.origin !== checkpoint.origin)
    return { kind: 'another-log', why: `${path} holds another log, ${older.origin}; this one is ${checkpoint.origin}` };
  if (older.size > checkpoint.size)
    return {
      kind: 'longer',
      why: `${path} holds ${older.size} events of this log, which has ${checkpoint.size}: the log was rolled back`,
    };
  return rootAt(older.size, log.nodes(checkpoint.size)).equals(older.root)
    ? undefined
    : {
        kind: 'forked',
        why: `${path} holds ${older.size} other events than this log begins with: the log has two histories`,
      };
};

/** Throws LedgerDamaged where the events are not those that were signed for. */
const mustBeWhole = (log: Reader, { checkpoint }: SignedCheckpoint, progress: (events: number) => void): void => {
  const all = filesOf(log, checkpoint.size, progress);
  for (;;) {
    const next = all.next();
    if (!next.done) continue;
    if (next.value === checkpoint.root.toString('hex')) return;
    throw new LedgerDamaged(`its first ${checkpoint.size} events are not those that were signed for`, undefined);
  }
};

interface File {
  readonly path: string;
  readonly bytes: Buffer;
}

/** Every file of a tree of this size but the checkpoint, and in the end its root in hex. */
function* filesOf(log: Reader, size: number, progress: (events: number) => void): Generator<File, string> {
  const tree = Tree.empty;
  for (let index = 0; tree.size < size; index++) {
    const bundle = { index, width: Math.min(TILE_WIDTH, size - tree.size) };
    const leaves = leavesIn(log, bundle);
    yield { path: entriesPath(bundle), bytes: bundleOf(leaves) };
    const growth = tree.grown(leaves);
    yield* growth.tiles.map(fileOf).filter(({ bytes }) => bytes.length === TILE_WIDTH * HASH_BYTES);
    tree.written(growth);
    progress(tree.size);
  }
  yield* tree.parts.map(fileOf);
  return tree.root;
}

const fileOf = ({ level, index, hashes }: StoredTile): File => ({
  path: tilePath({ level, index, width: hashes.length / HASH_BYTES }),
  bytes: hashes,
});
