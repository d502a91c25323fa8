import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import type { Event } from '../../../events/index.js';
import { exit } from '../../errors.js';
import { replaceFile } from '../../files.js';
import { aliveRow, cursorOf, eventRow, type Format, header, rowsOf, seqOfCursor } from '../../forensics/export.js';
import type { Found, Search } from '../../forensics/search.js';
import { type AskOptions, ask } from '../ask.js';
import { Exit, tell } from '../output.js';
import { pages } from '../pages.js';

/* openclaw audit export: the log for other systems, each event once and in order. */

export interface ExportOptions {
  readonly format: Format;
  /** A file to append to; it goes on after its last row. */
  readonly out?: string | undefined;
  /** Go on after this event. */
  readonly cursor?: string | undefined;
  /** Where the cursor is kept between runs. */
  readonly cursorFile?: string | undefined;
  readonly follow: boolean;
  /** Seconds between signs of life while following. */
  readonly aliveEvery: number;
}

interface Sink {
  /** The last event that it has. */
  readonly after: number;
  readonly begun: boolean;
  write(rows: string): void;
  /** Everything up to this event is where it belongs. */
  reached(event: Event): void;
  close(): void;
}

export const exportLog = async (search: Search, options: ExportOptions, from: AskOptions): Promise<void> => {
  const sink = options.out === undefined ? await toStdout(options, from) : await toFile(options.out, options, from);
  const whole = Object.entries(search).every(([key, value]) => value === undefined || key === 'limit');
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let { after } = sink;
  let aliveAt = Date.now();
  try {
    if (!sink.begun) sink.write(header(options.format));
    for await (const page of pages({ ...search, after }, from, options.follow ? stop.signal : undefined)) {
      sink.write([...rowsOf(page, after, whole, options.format)].join(''));
      const last = page.answer.events.at(-1);
      if (last !== undefined) sink.reached(last);
      after = page.answer.more ? (last?.seq ?? after) : page.upTo;
      if (!options.follow || Date.now() - aliveAt < options.aliveEvery * 1000) continue;
      aliveAt = Date.now();
      sink.write(aliveRow({ position: page.upTo, at: aliveAt }, options.format));
    }
  } finally {
    sink.close();
  }
};

const ANOTHER_LOG =
  'the last exported event is not what the log has at that number: this is another log, or an older copy of it was restored. Begin a new export, and keep the old one';

/** Is the last exported event still the one at its number? */
const checked = async (cursor: string, from: AskOptions): Promise<number> => {
  const seq = seqOfCursor(cursor);
  if (seq === undefined)
    throw new Exit(exit.usage, ['--cursor: it looks like 1234.0123456789abcdef, as an earlier export printed it']);
  const { answer } = await ask<Found>('log', { after: seq - 1, limit: 1 }, from);
  const [event] = answer.events;
  if (event?.seq !== seq || cursorOf(event) !== cursor.trim()) throw new Exit(exit.damaged, [ANOTHER_LOG]);
  return seq;
};

const toStdout = async ({ cursor, cursorFile }: ExportOptions, from: AskOptions): Promise<Sink> => {
  if (cursor !== undefined && cursorFile !== undefined)
    throw new Exit(exit.usage, ['--cursor or --cursor-file, not both']);
  const kept = cursorFile !== undefined && existsSync(cursorFile) ? cursorIn(cursorFile) : cursor;
  const after = kept === undefined || kept === '' ? 0 : await checked(kept, from);
  let reached: string | undefined;
  return {
    after,
    begun: after > 0,
    /* Synchronously: what is behind the cursor has left this process. */
    write: (rows) => writeAll(1, rows),
    reached: (event) => {
      reached = cursorOf(event);
      if (cursorFile !== undefined) replaceFile(cursorFile, `${reached}\n`, 0o600);
    },
    close: () => {
      if (cursorFile === undefined && reached !== undefined) tell(`To go on from here: --cursor ${reached}`);
    },
  };
};

const cursorIn = (file: string): string => usable('--cursor-file', () => readFileSync(file, 'utf8').trim());

/** What somebody named cannot be used: that is said as what it is. */
const usable = <T>(option: string, use: () => T): T => {
  try {
    return use();
  } catch (error) {
    throw new Exit(exit.usage, [`${option}: ${(error as Error).message}`]);
  }
};

/** The file is its own cursor. A row that was cut short by the end of an earlier run is taken out and written anew. */
const toFile = async (file: string, { format, cursor, cursorFile }: ExportOptions, from: AskOptions): Promise<Sink> => {
  if (cursor !== undefined || cursorFile !== undefined)
    throw new Exit(exit.usage, ['--out: the file itself says where to go on; --cursor is for standard output']);
  if (existsSync(file)) mustBeExport(file);
  const last = existsSync(file) ? lastRow(file) : undefined;
  const after = last === undefined ? 0 : await sameLog(last, format, from);
  const fd = usable('--out', () => openSync(file, 'a', 0o600));
  return {
    after,
    begun: existsSync(file) && statSync(file).size > 0,
    write: (rows) => {
      writeAll(fd, rows);
      fsyncSync(fd);
    },
    reached: () => {},
    close: () => closeSync(fd),
  };
};

const writeAll = (fd: number, text: string): void => {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};

const BEGINNINGS = ['{"seq":', '{"gap":', '{"alive":', header('csv')];

/** A file of something else is left alone: its last line would be taken for a row that was cut short. */
const mustBeExport = (file: string): void => {
  const bytes = Buffer.alloc(Math.max(...BEGINNINGS.map(({ length }) => length)));
  const read = usable('--out', () => {
    const fd = openSync(file, 'r');
    try {
      return readSync(fd, bytes, 0, bytes.length, 0);
    } finally {
      closeSync(fd);
    }
  });
  const begun = bytes.subarray(0, read).toString();
  if (!BEGINNINGS.some((beginning) => begun.startsWith(beginning.slice(0, begun.length))))
    throw new Exit(exit.usage, [`--out: ${file} has something else in it than an export; name another file`]);
};

/** Where the end of a file is looked for its last event: signs of life may be all that a long quiet has left. */
const TAIL_BYTES = 1024 * 1024;

/** The last whole row of an event. */
const lastRow = (file: string): string | undefined => {
  const { size } = statSync(file);
  const fd = openSync(file, 'r');
  try {
    for (let length = Math.min(size, TAIL_BYTES); ; length = Math.min(size, length * 4)) {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, size - length);
      const end = bytes.lastIndexOf('\n') + 1;
      const begin = length === size ? 0 : bytes.indexOf('\n') + 1;
      const row = bytes.subarray(begin, Math.max(begin, end)).toString().split('\n').filter(isEventRow).at(-1);
      if (row === undefined && length < size) continue;
      if (end < length) truncateSync(file, size - (length - end));
      return row;
    }
  } finally {
    closeSync(fd);
  }
};

const isEventRow = (line: string): boolean =>
  line.startsWith('{"seq":') || (/^\d+,/.test(line) && !/^\d+,,export\./.test(line));

/** Its number, if the log still has the same event there. */
const sameLog = async (last: string, format: Format, from: AskOptions): Promise<number> => {
  const seq = Number(/^(?:\{"seq":)?(\d+)/.exec(last)?.[1]);
  const { answer } = await ask<Found>('log', { after: seq - 1, limit: 1 }, from);
  const [event] = answer.events;
  if (event?.seq !== seq || withoutOrigin(eventRow(event, format)) !== withoutOrigin(`${last}\n`))
    throw new Exit(exit.damaged, [ANOTHER_LOG]);
  return seq;
};

/** Personal data may have been erased since. */
const withoutOrigin = (line: string): string => {
  if (!line.startsWith('{')) return line.split(',').slice(0, 4).join(',');
  const { origin: _, originHash: __, ...rest } = JSON.parse(line) as Record<string, unknown>;
  return JSON.stringify(rest);
};
