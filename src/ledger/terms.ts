import { type Event, type Term, termsOf } from '../../events/index.js';
import { limits } from '../limits.js';
import { postingsOf, TermKeys } from './postings.js';
import type { Reader } from './reader.js';
import type { IndexEntries } from './store.js';

interface Indexed {
  readonly seq: number;
  readonly terms: readonly Term[];
}

/**
 * The index of terms, a fold that trails the log: sorted batches cost half of what single entries cost. It says how far it has
 * come, and whoever asks reads the rest from the log. Events that were just committed are taken from memory.
 */
export class TermIndex {
  private readonly keys: TermKeys;
  /** Committed and not yet indexed, in order, without gaps. */
  private recent: Event[] = [];

  /** `upTo`: the event up to which the stored index is complete. */
  constructor(
    private upTo: number,
    salt: Buffer,
    private readonly reader: Reader,
  ) {
    this.keys = new TermKeys(salt);
  }

  /** Events that are not in it yet. */
  get behind(): number {
    return this.reader.position - this.upTo;
  }

  /** Events that were committed. */
  note(events: readonly Event[]): void {
    for (const event of events) this.recent.push(event);
    if (this.recent.length > limits.ledger.indexRemembered) this.recent = [];
  }

  /** The next entries to write, if there are at least `atLeast` events to index. */
  due(atLeast: number): IndexEntries | undefined {
    if (this.behind < atLeast) return undefined;
    const first = this.recent[0]?.seq;
    const events = first === this.upTo + 1 ? this.recent.slice(0, limits.ledger.indexBatch) : this.reRead();
    const batch = events.map((event): Indexed => ({ seq: event.seq, terms: termsOf(event) }));
    return { postings: postingsOf(batch, this.keys), upTo: this.upTo + events.length, salt: this.keys.salt };
  }

  /** They are on the disk. */
  written(upTo: number): void {
    this.upTo = upTo;
    const next = this.recent.findIndex(({ seq }) => seq > upTo);
    this.recent = next === -1 ? [] : this.recent.slice(next);
  }

  private reRead(): readonly Event[] {
    return [...this.reader.range({ after: this.upTo, upTo: this.upTo + limits.ledger.indexBatch })];
  }
}
