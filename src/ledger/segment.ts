import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { type ArchivedSegment, inOrder } from '../../projections/index.js';
import { limits } from '../limits.js';

/*
 * A segment: the exact stored bytes of events, compressed as a whole. Of each event its number (6 bytes), the length of its bytes (4),
 * big-endian, and the bytes.
 */

/** The stored bytes of an event. */
export interface Moved {
  readonly seq: number;
  readonly bytes: Buffer;
}

const SEQ_BYTES = 6;
const HEAD_BYTES = SEQ_BYTES + 4;

export const framed = (events: readonly Moved[]): Buffer => {
  const raw = Buffer.alloc(events.reduce((sum, { bytes }) => sum + HEAD_BYTES + bytes.length, 0));
  let at = 0;
  for (const { seq, bytes } of events) {
    at = raw.writeUIntBE(seq, at, SEQ_BYTES);
    at = raw.writeUInt32BE(bytes.length, at);
    at += bytes.copy(raw, at);
  }
  return raw;
};

/** Throws where the bytes end in the middle of an event. */
export const unframed = (raw: Buffer): readonly Moved[] => {
  const events: Moved[] = [];
  for (let at = 0; at < raw.length; ) {
    const begin = at + HEAD_BYTES;
    const end = begin + raw.readUInt32BE(at + SEQ_BYTES);
    if (end > raw.length) throw new RangeError('cut short');
    events.push({ seq: raw.readUIntBE(at, SEQ_BYTES), bytes: raw.subarray(begin, end) });
    at = end;
  }
  return events;
};

export const seal = (file: Buffer): string => hash('sha256', file, 'hex');

export type Encoding = 'zstd' | 'gzip';

/** A way of compressing. Unpacking at once is for readers: it holds up the loop. */
export interface Compression {
  readonly encoding: Encoding;
  readonly pack: (raw: Buffer) => Promise<Buffer>;
  readonly unpack: (file: Buffer) => Promise<Buffer>;
  readonly unpackAtOnce: (file: Buffer) => Buffer;
}

/** A segment that unpacks to more than one can hold is none of ours: its last event and the heads may come on top. */
const ROOM = {
  maxOutputLength: limits.archive.segmentBytes + limits.ledger.eventBytes + HEAD_BYTES * limits.archive.segmentEvents,
};

const gzip: Compression = {
  encoding: 'gzip',
  pack: promisify<Buffer, Buffer>(zlib.gzip),
  unpack: (file) => promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip)(file, ROOM),
  unpackAtOnce: (file) => zlib.gunzipSync(file, ROOM),
};

type Done = (error: Error | null, result: Buffer) => void;

/** What Node has since 22.15, and the types of Node 20 do not know. */
interface Zstd {
  readonly zstdCompress: (raw: Buffer, done: Done) => void;
  readonly zstdDecompress: (file: Buffer, options: typeof ROOM, done: Done) => void;
  readonly zstdDecompressSync: (file: Buffer, options: typeof ROOM) => Buffer;
}

const zstdOf = ({ zstdCompress, zstdDecompress, zstdDecompressSync }: Zstd): Compression => ({
  encoding: 'zstd',
  pack: promisify(zstdCompress),
  unpack: (file) => promisify(zstdDecompress)(file, ROOM),
  unpackAtOnce: (file) => zstdDecompressSync(file, ROOM),
});

const zstd = 'zstdCompress' in zlib ? zstdOf(zlib as unknown as Zstd) : undefined;

/** The way of compressing that has this name, if this Node knows it. */
export const compressionOf = (encoding: string): Compression | undefined =>
  encoding === 'gzip' ? gzip : encoding === 'zstd' ? zstd : undefined;

/** The best there is here. */
export const bestCompression: Compression = zstd ?? gzip;

const EXTENSION: Readonly<Record<Encoding, string>> = { zstd: 'zst', gzip: 'gz' };

export const segmentName = (from: number, to: number, encoding: Encoding): string =>
  `${inOrder(from)}-${inOrder(to)}.${EXTENSION[encoding]}`;

const NAME = /^(\d{15})-\d{15}\.(?:zst|gz)(\.\d+\.tmp)?$/;

/** What the name of a file says, if it is that of a segment, or of one that was being written. */
export const named = (file: string): { readonly from: number; readonly unfinished: boolean } | undefined => {
  const found = NAME.exec(file);
  return found === null ? undefined : { from: Number(found[1]), unfinished: found[2] !== undefined };
};

/** Are these the events that were moved? */
export const areOf = ({ from, to, events }: ArchivedSegment, moved: readonly Moved[]): boolean =>
  moved.length === events &&
  moved[0]?.seq === from &&
  moved.at(-1)?.seq === to &&
  moved.every(({ seq }, at) => at === 0 || seq > (moved[at - 1]?.seq ?? 0));
