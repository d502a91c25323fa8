import type { Event, Term } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Leaving, leaving, type Most, type Relisted, without } from './lists.js';
import { Lists, type Posting, TermKeys } from './postings.js';
import type { Reader } from './reader.js';
import type { IndexEntries, Store } from './store.js';

/** Lists of neighbouring events: those after `after`, up to `upTo`. */
interface Gathered {
  readonly after: number;
  upTo: number;
  readonly lists: Lists;
}

/**
 * The index of terms, a fold that trails the log: large batches cost a fraction of what single entries cost. It says how far it has
 * come, and whoever asks reads the rest from the log. A batch that was cut short by a crash is begun again at the same event, so
 * its lists come to lie where they lay.
 */
export class TermIndex {
  private readonly keys: TermKeys;
  /** What was committed since the stored index; undefined where it has to be read from the log again. */
  private gathered: Gathered | undefined;
  /** What is read from the log again, a slice at a time. */
  private reading: Gathered | undefined;
  /** What is being written, a slice with each commit. */
  private writing: { readonly postings: Iterator<Posting>; readonly upTo: number } | undefined;
  private fromNothing = false;

  /** `complete`: the event up to which the stored index is. */
  constructor(
    private complete: number,
    salt: Buffer,
    private readonly reader: Reader,
  ) {
    this.keys = new TermKeys(salt);
    if (reader.position === complete) this.gathered = after(complete);
  }

  /** The event up to which the stored index is complete. */
  get upTo(): number {
    return this.complete;
  }

  /** Begins again with the first event; what was stored goes with the first batch. */
  restart(): void {
    this.reopened(0);
    this.fromNothing = true;
  }

  /** What was on its way to the disk may be there or not. `complete`: the event up to which the stored index is. */
  reopened(complete: number): void {
    this.complete = complete;
    this.forget();
  }

  /** A part of what is due has been read or written. */
  get unfinished(): boolean {
    return this.reading !== undefined || this.writing !== undefined;
  }

  /** Events that were committed, and follow those before. */
  note(events: readonly Event[]): void {
    if (this.gathered === undefined) return;
    gather(this.gathered, events);
    if (this.gathered.upTo - this.gathered.after > limits.ledger.indexRemembered) this.gathered = undefined;
  }

  /**
   * The next entries to write of a log that stands at `position`, if there are at least `atLeast` events to index. A large batch takes as long
   * as many commits, so it goes in slices; it counts as stored with the last of them. What has to be read from the log again is, too, and
   * nothing is to be written meanwhile.
   */
  due(position: number, atLeast: number): IndexEntries | undefined {
    if (!this.unfinished && position - this.complete < atLeast) return undefined;
    this.writing ??= this.begin(position);
    if (this.writing === undefined) return undefined;
    const postings = sliceOf(this.writing.postings);
    return {
      postings,
      upTo: postings.length < limits.ledger.indexSlice ? this.writing.upTo : this.complete,
      salt: this.keys.salt,
      ...(this.fromNothing ? { anew: true } : {}),
    };
  }

  /** They are on the disk. */
  written(upTo: number): void {
    this.fromNothing = false;
    if (upTo === this.complete) return;
    this.complete = upTo;
    this.writing = undefined;
  }

  /** What comes from now on follows the batch that is written. */
  private begin(position: number): TermIndex['writing'] {
    const batch = this.gathered ?? this.reRead(position);
    if (batch === undefined) return undefined;
    const { lists, upTo } = batch;
    this.gathered = this.gathered !== undefined || upTo === position ? after(upTo) : undefined;
    return { postings: lists.postings(this.keys)[Symbol.iterator](), upTo };
  }

  /** A slice more of the events after those that are stored; all of them once that is a batch, or as far as the log goes. */
  private reRead(position: number): Gathered | undefined {
    const { indexBatch, indexRead } = limits.ledger;
    const reading = this.reading ?? after(this.complete);
    const last = Math.min(position, this.complete + indexBatch);
    gather(reading, this.reader.range({ after: reading.upTo, upTo: Math.min(last, reading.upTo + indexRead) }));
    this.reading = reading.upTo < last ? reading : undefined;
    return this.reading === undefined ? reading : undefined;
  }

  /** The stored lists of addresses without these events, in rising order, whose personal data go. */
  without(events: readonly number[], store: Store): Relisted {
    return without(this.leaving(events, store));
  }

  /** The first of these events, in rising order: as many as leave no more lists than one commit may write anew, and one at least. */
  atOnce(events: readonly number[], store: Store): readonly number[] {
    return this.leaving(events, store, limits.erasure).events;
  }

  private leaving(events: readonly number[], store: Store, most?: Most): Leaving {
    const termOf = (seq: number): Term | undefined => {
      const address = store.originOf(seq)?.address;
      return address === undefined ? undefined : `address:${address}`;
    };
    return leaving(events, termOf, this.keys, store, most);
  }

  /** They are gone: what was gathered may hold an address of theirs. */
  forget(): void {
    this.gathered = undefined;
    this.reading = undefined;
    this.writing = undefined;
  }
}

/** A key is only good until the next, so it is copied. */
const sliceOf = (postings: Iterator<Posting>): readonly Posting[] => {
  const slice: Posting[] = [];
  while (slice.length < limits.ledger.indexSlice) {
    const next = postings.next();
    if (next.done === true) break;
    slice.push({ key: Buffer.from(next.value.key), value: next.value.value });
  }
  return slice;
};

const after = (seq: number): Gathered => ({ after: seq, upTo: seq, lists: new Lists() });

const gather = (gathered: Gathered, events: Iterable<Event>): Gathered => {
  for (const event of events) {
    gathered.lists.add(event);
    gathered.upTo = event.seq;
  }
  return gathered;
};
