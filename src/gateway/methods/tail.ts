import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { attempt } from '../../attempt.js';

/** Where to go on reading, and how much. */
export interface Wanted {
  readonly cursor?: number | undefined;
  readonly limit?: number | undefined;
  readonly maxBytes?: number | undefined;
}

export interface Tail {
  readonly file: string;
  /** Pass it back to read on. */
  readonly cursor: number;
  readonly size: number;
  readonly lines: readonly string[];
  /** There was more than was asked for. */
  readonly truncated: boolean;
  /** The cursor was of another file. */
  readonly reset: boolean;
}

const LINES = 500;
const BYTES = 250_000;

/** The end of the text log, or what has come to it since the cursor (protocol.md §8.6 logs.tail). Whole lines only. */
export const tail = (file: string | undefined, { cursor, limit = LINES, maxBytes = BYTES }: Wanted): Tail => {
  const read = file === undefined ? undefined : open(file);
  if (file === undefined || read === undefined)
    return {
      file: file ?? 'none',
      cursor: 0,
      size: 0,
      lines: [],
      truncated: false,
      reset: cursor !== undefined && cursor > 0,
    };
  try {
    const { size } = fstatSync(read);
    const reset = cursor !== undefined && cursor > size;
    const from = cursor === undefined || reset ? 0 : cursor;
    const start = Math.max(from, size - maxBytes);
    const bytes = Buffer.alloc(size - start);
    readSync(read, bytes, 0, bytes.length, start);
    const end = bytes.lastIndexOf('\n') + 1;
    const begin = start > from ? bytes.indexOf('\n') + 1 : 0;
    const lines = bytes.subarray(begin, end).toString().split('\n').slice(0, -1);
    const kept = lines.slice(-limit);
    return {
      file,
      cursor: start + end,
      size,
      lines: kept,
      truncated: start > from || kept.length < lines.length,
      reset,
    };
  } finally {
    closeSync(read);
  }
};

const open = (file: string): number | undefined =>
  attempt(() => openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW));
