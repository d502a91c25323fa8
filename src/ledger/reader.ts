import * as E from 'fp-ts/lib/Either.js';
import type { Event, EventType } from '../../events/index.js';
import { limits } from '../limits.js';
import { DamagedEvent } from './damage.js';
import { unstamp } from './stamp.js';
import type { Append, Store } from './store.js';

/** From `after` (exclusive) to `upTo` (inclusive). */
export interface Range {
  readonly after?: number;
  readonly upTo?: number;
}

/** What to look for. All that are given must fit. */
export interface Query extends Range {
  readonly type?: EventType | undefined;
  readonly subject?: string | undefined;
}

export const typeTerm = (type: string): string => `type:${type}`;
export const subjectTerm = (subject: string): string => `subject:${subject}`;

/** Is it one of those that are looked for? Its place is not looked at. */
export const fits = (event: Event, { type, subject }: Query): boolean =>
  (type === undefined || event.type === type) && (subject === undefined || event.subject === subject);

/** The log to read: by place, by subject, by type. Long scans go chunk by chunk and hold no snapshot between. */
export class Reader {
  constructor(private readonly store: () => Store) {}

  get position(): number {
    return this.store().position()?.seq ?? 0;
  }

  event(seq: number): Event | undefined {
    const store = this.store();
    const bytes = store.event(seq);
    return bytes && decoded({ seq, bytes, origin: store.origin(seq) });
  }

  *range({ after = 0, upTo = Number.MAX_SAFE_INTEGER }: Range = {}): Iterable<Event> {
    for (let next = after + 1; next <= upTo; ) {
      this.store().refresh();
      const chunk = this.store().slice(next, Math.min(limits.ledger.readChunk, upTo - next + 1));
      for (const append of chunk) yield decoded(append);
      const last = chunk.at(-1);
      if (last === undefined) return;
      next = last.seq + 1;
    }
  }

  /** In log order. The index answers for what it holds; what it does not hold yet is read from the log itself. */
  *query(query: Query): Iterable<Event> {
    const term = query.subject === undefined ? query.type && typeTerm(query.type) : subjectTerm(query.subject);
    const { after = 0, upTo = this.position } = query;
    const indexed = term === undefined ? after : Math.max(after, Math.min(this.store().indexed(), upTo));
    if (term !== undefined) {
      for (const seq of this.termed(term, after + 1, indexed)) {
        const event = this.event(seq);
        if (event !== undefined && fits(event, query)) yield event;
      }
    }
    for (const event of this.range({ after: indexed, upTo })) if (fits(event, query)) yield event;
  }

  private *termed(term: string, from: number, upTo: number): Iterable<number> {
    for (let next = from; next <= upTo; ) {
      const seqs = this.store().withTerm(term, next, limits.ledger.readChunk);
      for (const seq of seqs) {
        if (seq > upTo) return;
        yield seq;
      }
      const last = seqs.at(-1);
      if (last === undefined) return;
      next = last + 1;
    }
  }
}

const decoded = ({ seq, bytes, origin }: Append): Event => {
  const event = unstamp(bytes, seq, origin);
  if (E.isLeft(event)) throw new DamagedEvent(seq, event.left);
  return event.right;
};
