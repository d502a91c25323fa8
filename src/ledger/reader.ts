import * as E from 'fp-ts/lib/Either.js';
import { type Event, partsOf, type Term, type TermKind, termsOf } from '../../events/index.js';
import { limits } from '../limits.js';
import type { NodeReader } from '../proof/merkle.js';
import type { Tile } from '../proof/tile.js';
import { Archive, type Listing, listedInLog, listedInView } from './archive.js';
import { type Damage, DamagedEvent } from './damage.js';
import { listsOf } from './lists.js';
import { seqsIn, TermKeys } from './postings.js';
import { scan } from './scan.js';
import { unstamp } from './stamp.js';
import type { Append, Store } from './store.js';
import { nodesIn, readTile } from './tiles.js';

/** From `after` (exclusive) to `upTo` (inclusive). */
export interface Range {
  readonly after?: number;
  readonly upTo?: number;
}

/** What to look for: events that carry all of these terms. */
export interface Query extends Range {
  readonly terms?: readonly Term[];
}

/** An event that lies in the log itself, with its exact bytes. */
export interface Stored {
  readonly event: Event;
  readonly bytes: Buffer;
}

/** Kinds of terms, from those that few events carry to those that many do. */
const RARE_FIRST: readonly TermKind[] = [
  'incident',
  'cause',
  'request',
  'connection',
  'source',
  'subject',
  'credential',
  'device',
  'address',
  'type',
];

const rarity = (term: Term): number => RARE_FIRST.indexOf(partsOf(term)[0]);

/** Is it one of those that are looked for? Its place is not looked at. */
export const fits = (event: Event, { terms = [] }: Query): boolean => {
  if (terms.length === 0) return true;
  const carried = termsOf(event);
  return terms.every((term) => carried.has(term));
};

/**
 * The log to read: by place, by time, by term, and what was moved to the archive as if it still lay there. Long scans go chunk by chunk
 * and hold no snapshot between. A damaged event is thrown, or where `damaged` listens told to it and passed over.
 */
export class Reader {
  private readonly archive: Archive;

  constructor(
    private readonly store: () => Store,
    private readonly damaged?: (damage: Damage) => void,
    listing: Listing = listedInView(store),
  ) {
    this.archive = new Archive(store, listing, damaged);
  }

  /** The same without the views, for whoever makes or checks them. */
  get byLogAlone(): Reader {
    return new Reader(this.store, this.damaged, listedInLog(this.store));
  }

  get position(): number {
    return this.store().position()?.seq ?? 0;
  }

  /** How far the index has come: a query reads the rest from the log. */
  get indexed(): number {
    return this.store().indexed();
  }

  event(seq: number): Event | undefined {
    const bytes = this.bytes(seq);
    return bytes && this.decoded({ seq, bytes, origin: this.store().origin(seq) });
  }

  /** The exact bytes of an event. */
  bytes(seq: number): Buffer | undefined {
    return this.store().event(seq) ?? this.archive.event(seq);
  }

  /** The nodes of the tree of the first `size` events. */
  nodes(size: number): NodeReader {
    return nodesIn(this.store(), size);
  }

  /** The hashes of a tile of the tree, as wide as it was in a tree of the past. Throws LedgerDamaged where it is not there. */
  tile(tile: Tile): Buffer {
    return readTile(this.store(), tile);
  }

  *range({ after = 0, upTo = Number.MAX_SAFE_INTEGER }: Range = {}): Iterable<Event> {
    for (const append of this.appends({ after, upTo })) {
      const event = this.decoded(append);
      if (event !== undefined) yield event;
    }
  }

  /** What lies in the log itself, without what was moved to the archive. */
  *stored({ after = 0, upTo = Number.MAX_SAFE_INTEGER }: Range = {}): Iterable<Stored> {
    for (const append of scan(this.store, after + 1, upTo)) {
      const event = this.decoded(append);
      if (event !== undefined) yield { event, bytes: append.bytes };
    }
  }

  /** The exact bytes of the log, and where it has a gap of the archive. */
  *appends({ after = 0, upTo = Number.MAX_SAFE_INTEGER }: Range = {}): Iterable<Append> {
    let next = after + 1;
    for (const append of scan(this.store, next, upTo)) {
      yield* this.archive.between(next, append.seq - 1);
      yield append;
      next = append.seq + 1;
    }
    yield* this.archive.between(next, Math.min(upTo, this.store().extent().last));
  }

  /** Number of the last event that was recorded at or before a time (ms); 0 if none was. Times never run backwards in the log. */
  seqAt(at: number): number {
    const storedFrom: FirstFrom = (seq, before) => firstIn(this.stored({ after: seq - 1, upTo: before - 1 }))?.event;
    const anyFrom: FirstFrom = (seq, before) => firstIn(this.range({ after: seq - 1, upTo: before - 1 }));
    /* Segments are opened only where what is left in the log leaves it open. */
    const end = this.position + 1;
    const stored = lastUpTo(at, 0, end, storedFrom);
    return lastUpTo(at, stored, storedFrom(stored + 1, end)?.seq ?? end, anyFrom);
  }

  /** In log order. The index answers for what it holds; what it does not hold yet is read from the log itself. */
  *query(query: Query): Iterable<Event> {
    const { after = 0, upTo = this.position, terms = [] } = query;
    const [term] = [...terms].sort((a, b) => rarity(a) - rarity(b));
    const indexed = term === undefined ? after : Math.max(after, Math.min(this.indexed, upTo));
    if (term !== undefined) {
      for (const seq of this.carrying(term, after, indexed)) {
        const event = this.event(seq);
        if (event !== undefined && fits(event, query)) yield event;
      }
    }
    for (const event of this.range({ after: indexed, upTo })) if (fits(event, query)) yield event;
  }

  /** The same from the last to the first. */
  *backwards(query: Query): Iterable<Event> {
    const { after = 0, upTo = this.position } = query;
    const [term] = [...(query.terms ?? [])].sort((a, b) => rarity(a) - rarity(b));
    const indexed = term === undefined ? after : Math.max(after, Math.min(this.indexed, upTo));
    for (let end = upTo; end > indexed; end -= limits.ledger.readChunk) {
      const chunk = [...this.range({ after: Math.max(indexed, end - limits.ledger.readChunk), upTo: end })];
      for (const event of chunk.reverse()) if (fits(event, query)) yield event;
    }
    if (term === undefined) return;
    for (const seq of [...this.carrying(term, after, indexed)].reverse()) {
      const event = this.event(seq);
      if (event !== undefined && fits(event, query)) yield event;
    }
  }

  /** Numbers of indexed events that carry a term, perhaps among others. */
  private *carrying(term: Term, after: number, upTo: number): Iterable<number> {
    const salt = this.store().salt();
    if (salt === undefined) return;
    for (const posting of listsOf(term, after, upTo, new TermKeys(salt), this.store()))
      for (const seq of seqsIn(posting)) if (seq > after && seq <= upTo) yield seq;
  }

  private decoded({ seq, bytes, origin }: Append): Event | undefined {
    const event = unstamp(bytes, seq, origin);
    if (E.isRight(event)) return event.right;
    const damage = new DamagedEvent(seq, event.left);
    if (this.damaged === undefined) throw damage;
    this.damaged(damage);
    return undefined;
  }
}

/** The first event that can be read, from a number on and before another. */
type FirstFrom = (seq: number, before: number) => Event | undefined;

const firstIn = <T>(found: Iterable<T>): T | undefined => {
  for (const one of found) return one;
  return undefined;
};

/** Number of the last event between two others (exclusive) that was recorded at or before a time; `before` if none was. */
const lastUpTo = (at: number, before: number, after: number, firstFrom: FirstFrom): number => {
  let [last, end] = [before, after];
  while (end - last > 1) {
    const middle = Math.floor((last + end) / 2);
    const event = firstFrom(middle, end);
    if (event !== undefined && event.at <= at) last = event.seq;
    else end = middle;
  }
  return last;
};
