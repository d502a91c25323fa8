import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { LRUCache } from 'lru-cache';
import { type ArchivedSegment, projections } from '../../projections/index.js';
import { attempt } from '../attempt.js';
import { limits } from '../limits.js';
import { SegmentUnreadable } from './damage.js';
import { scan } from './scan.js';
import { areOf, compressionOf, type Moved, named, seal, unframed } from './segment.js';
import { unstamp } from './stamp.js';
import type { Append, Store } from './store.js';

/* The events that were moved from the log to files, read as if they still lay in it. Their personal data never left. */

/** Segments that begin after an event, in log order. */
export type Listing = (after: number) => Iterable<ArchivedSegment>;

/** As the view has them. */
export const listedInView =
  (store: () => Store): Listing =>
  (after) =>
    [...store().views.archives.entries()].map(([, row]) => row).filter(({ from }) => from > after);

const SAYS_SO = Buffer.from('"type":"log.archived"');

/** As the log itself says, for whoever cannot rely on the view: none of what says so is ever moved. */
export const listedInLog = (store: () => Store): Listing => {
  const found: ArchivedSegment[] = [];
  let scanned = 0;
  return (after) => {
    for (const { seq, bytes } of scan(store, scanned + 1, Number.MAX_SAFE_INTEGER)) {
      scanned = seq;
      const event = bytes.includes(SAYS_SO) ? unstamp(bytes, seq, undefined) : undefined;
      if (event === undefined || E.isLeft(event)) continue;
      for (const change of projections.archives.apply(event.right, NO_ROWS))
        if ('row' in change) found.push(change.row);
    }
    return found.filter(({ from }) => from > after);
  };
};

const NO_ROWS = { get: () => undefined, entries: () => [], size: () => 0 };

/** Where the segments of a ledger lie. */
export const archiveFolder = (store: Pick<Store, 'path'>): string => join(store.path, 'archive');

/** What is wrong with the file, as far as can be said without reading it. */
export const segmentFault = (folder: string, row: ArchivedSegment): SegmentUnreadable | undefined => {
  const size = attempt(() => statSync(join(folder, row.segment)).size);
  if (size === undefined) return new SegmentUnreadable(row, MISSING);
  return size === row.bytes ? undefined : new SegmentUnreadable(row, sizeFault(size, row));
};

const MISSING = 'its file is missing';
const sizeFault = (size: number, { bytes }: ArchivedSegment): string =>
  `its file has ${size} bytes instead of ${bytes}`;

/** Each segment is read and checked once, and then remembered for a while. One that cannot be read is thrown, or told and passed over. */
export class Archive {
  private readonly known: ArchivedSegment[] = [];
  private readonly opened = new LRUCache<number, readonly Moved[]>({ max: limits.archive.opened });
  private readonly passedOver = new Set<number>();

  constructor(
    private readonly store: () => Store,
    private readonly listing: Listing,
    private readonly unreadable?: (segment: SegmentUnreadable) => void,
  ) {}

  event(seq: number): Buffer | undefined {
    for (const { bytes } of this.between(seq, seq)) return bytes;
    return undefined;
  }

  /** Moved events from one number to another, in order. */
  *between(from: number, to: number): Iterable<Append> {
    if (from > to) return;
    for (const segment of this.segments(from, to)) {
      const moved = this.open(segment);
      for (let at = firstOf(moved, ({ seq }) => seq >= from); at < moved.length; at++) {
        const { seq, bytes } = moved[at] as Moved;
        if (seq > to) break;
        yield { seq, bytes, origin: this.store().origin(seq) };
      }
    }
  }

  private *segments(from: number, to: number): Iterable<ArchivedSegment> {
    const last = this.known.at(-1)?.to ?? 0;
    if (to > last) this.known.push(...this.listing(last));
    for (let at = firstOf(this.known, (segment) => segment.to >= from); at < this.known.length; at++) {
      const segment = this.known[at] as ArchivedSegment;
      if (segment.from > to) return;
      yield segment;
    }
  }

  private open(row: ArchivedSegment): readonly Moved[] {
    if (this.passedOver.has(row.from)) return [];
    const remembered = this.opened.get(row.from);
    if (remembered !== undefined) return remembered;
    const read = contentOf(archiveFolder(this.store()), row);
    if (E.isRight(read)) {
      this.opened.set(row.from, read.right);
      return read.right;
    }
    const damage = new SegmentUnreadable(row, read.left);
    if (this.unreadable === undefined) throw damage;
    this.unreadable(damage);
    this.passedOver.add(row.from);
    return [];
  }
}

/** What was sealed, or what is wrong with it. */
const contentOf = (folder: string, row: ArchivedSegment): Either<string, readonly Moved[]> => {
  if (named(row.segment) === undefined) return E.left('it has not the name of a segment');
  const read = E.tryCatch(() => readFileSync(join(folder, row.segment)), readFault);
  if (E.isLeft(read)) return read;
  const file = read.right;
  if (file.length !== row.bytes) return E.left(sizeFault(file.length, row));
  if (seal(file) !== row.sha256) return E.left('its file is not the one that was sealed (SHA-256)');
  const compression = compressionOf(row.encoding);
  if (compression === undefined) return E.left(`it is compressed with ${row.encoding}, which this Node does not know`);
  const moved = attempt(() => unframed(compression.unpackAtOnce(file)));
  return moved !== undefined && areOf(row, moved)
    ? E.right(moved)
    : E.left('it does not hold the events it was said to');
};

const readFault = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? MISSING : `its file cannot be read (${code})`;
};

/** Place of the first that fits, where all after it do too. */
const firstOf = <T>(sorted: readonly T[], fits: (one: T) => boolean): number => {
  let before = -1;
  let after = sorted.length;
  while (after - before > 1) {
    const middle = (before + after) >> 1;
    if (fits(sorted[middle] as T)) after = middle;
    else before = middle;
  }
  return after;
};
