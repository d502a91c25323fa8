import type { Event } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Reader, subjectTerm, typeTerm } from './reader.js';
import type { Term } from './store.js';

/** What an event is found by. */
const termsOf = ({ type, subject, seq }: Pick<Event, 'type' | 'subject' | 'seq'>): readonly Term[] => [
  [typeTerm(type), seq],
  [subjectTerm(subject), seq],
];

const byTerm = ([a, m]: Term, [b, n]: Term): number => (a < b ? -1 : a > b ? 1 : m - n);

type Indexed = Pick<Event, 'type' | 'subject' | 'seq'>;

/**
 * The index of terms, a fold that trails the log: sorted batches cost half of what single entries cost. It says how far it has
 * come, and whoever asks reads the rest from the log. Events that were just committed are taken from memory.
 */
export class TermIndex {
  /** Committed and not yet indexed, in order, without gaps. */
  private recent: Indexed[] = [];

  /** `upTo`: the event up to which the stored index is complete. */
  constructor(
    private upTo: number,
    private readonly reader: Reader,
  ) {}

  /** Events that were committed. */
  note(events: readonly Indexed[]): void {
    for (const { type, subject, seq } of events) this.recent.push({ type, subject, seq });
    if (this.recent.length > limits.ledger.indexRemembered) this.recent = [];
  }

  /** The next entries to write, if there are at least `atLeast` events to index. */
  due(atLeast: number): { readonly entries: readonly Term[]; readonly upTo: number } | undefined {
    if (this.reader.position - this.upTo < atLeast) return undefined;
    const first = this.recent[0]?.seq;
    const events = first === this.upTo + 1 ? this.recent.slice(0, limits.ledger.indexBatch) : this.reRead();
    return { entries: events.flatMap(termsOf).sort(byTerm), upTo: this.upTo + events.length };
  }

  /** They are on the disk. */
  written(upTo: number): void {
    this.upTo = upTo;
    const next = this.recent.findIndex(({ seq }) => seq > upTo);
    this.recent = next === -1 ? [] : this.recent.slice(next);
  }

  private reRead(): readonly Indexed[] {
    return [...this.reader.range({ after: this.upTo, upTo: this.upTo + limits.ledger.indexBatch })];
  }
}
