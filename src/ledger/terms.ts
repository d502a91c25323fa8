import type { Event, Term } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Leaving, leaving, type Most, type Relisted, without } from './lists.js';
import { Lists, TermKeys } from './postings.js';
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
    this.complete = 0;
    this.gathered = undefined;
    this.fromNothing = true;
  }

  /** Events that were committed, and follow those before. */
  note(events: readonly Event[]): void {
    if (this.gathered === undefined) return;
    gather(this.gathered, events);
    if (this.gathered.upTo - this.gathered.after > limits.ledger.indexRemembered) this.gathered = undefined;
  }

  /** The next entries to write of a log that stands at `position`, if there are at least `atLeast` events to index. */
  due(position: number, atLeast: number): IndexEntries | undefined {
    if (position - this.complete < atLeast) return undefined;
    const { lists, upTo } = this.gathered ?? this.reRead();
    return {
      postings: lists.postings(this.keys),
      upTo,
      salt: this.keys.salt,
      ...(this.fromNothing ? { anew: true } : {}),
    };
  }

  /** They are on the disk. */
  written(upTo: number, position: number): void {
    this.complete = upTo;
    this.fromNothing = false;
    this.gathered = this.gathered !== undefined || upTo === position ? after(upTo) : undefined;
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
  }

  private reRead(): Gathered {
    const from = this.complete;
    return gather(after(from), this.reader.range({ after: from, upTo: from + limits.ledger.indexBatch }));
  }
}

const after = (seq: number): Gathered => ({ after: seq, upTo: seq, lists: new Lists() });

const gather = (gathered: Gathered, events: Iterable<Event>): Gathered => {
  for (const event of events) {
    gathered.lists.add(event);
    gathered.upTo = event.seq;
  }
  return gathered;
};
