import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { base64, hashIn, numberIn } from './fields.js';
import { type Note, openNote } from './note.js';

/** What a log says of itself (C2SP tlog-checkpoint): who it is, how many leaves it has, and the root of their tree. */
export interface Checkpoint {
  /** The name of the log, for ever. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
  /** Further lines, which mean nothing here and which nobody can audit; carried along since they are signed. */
  readonly extensions?: readonly string[];
}

/** The text to be signed: a line each. */
export const checkpointText = ({ origin, size, root, extensions = [] }: Checkpoint): string =>
  [origin, size, base64(root), ...extensions].map((line) => `${line}\n`).join('');

/** It may come from anybody: what it says is true only once its signature was verified. */
export const parseCheckpoint = (text: string): Either<string, Checkpoint> => {
  if (!text.endsWith('\n')) return E.left('a checkpoint that does not end in a newline');
  const [origin = '', size = '', root = '', ...extensions] = text.slice(0, -1).split('\n');
  if (origin === '') return E.left('a checkpoint without an origin in its first line');
  const leaves = numberIn(size);
  if (leaves === undefined)
    return E.left('a checkpoint whose second line is not a size: a decimal without leading zeros');
  const hash = hashIn(root);
  if (hash === undefined) return E.left('a checkpoint whose third line is not a root: 32 bytes in base64');
  if (extensions.includes('')) return E.left('a checkpoint with an empty line');
  return E.right({ origin, size: leaves, root: hash, ...(extensions.length > 0 && { extensions }) });
};

/** A checkpoint in its note: nothing of it is believed yet. */
export interface SignedCheckpoint {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

export const openCheckpoint = (text: string | Buffer): Either<string, SignedCheckpoint> => {
  const note = openNote(text);
  if (E.isLeft(note)) return note;
  const checkpoint = parseCheckpoint(note.right.text);
  return E.isLeft(checkpoint) ? checkpoint : E.right({ note: note.right, checkpoint: checkpoint.right });
};
