import type { Term } from '../../events/index.js';
import { limits } from '../limits.js';
import { listOf, type Posting, seqsIn, type TermKeys } from './postings.js';
import type { Store } from './store.js';

/* The stored lists of one term: read, and made anew without some of their events. */

type Stored = Pick<Store, 'postingBefore' | 'postings'>;

/** Those that hold events after one number and up to another, perhaps among others. */
export function* listsOf(term: Term, after: number, upTo: number, keys: TermKeys, store: Stored): Iterable<Posting> {
  /* The list that `after` falls into begins before it. */
  const before = store.postingBefore(keys.key(term, after));
  const first = keys.key(term, 0);
  let from = before !== undefined && Buffer.compare(before.key, first) >= 0 ? before.key : first;
  const end = keys.key(term, upTo + 1);
  for (;;) {
    const postings = store.postings(from, end, limits.ledger.readChunk);
    yield* postings;
    const last = postings.at(-1);
    if (last === undefined || postings.length < limits.ledger.readChunk) return;
    from = Buffer.concat([last.key, Buffer.of(0)]);
  }
}

/** What becomes of stored lists: these go, and those come. */
export interface Relisted {
  readonly drop: readonly Buffer[];
  readonly put: readonly Posting[];
}

/** The lists of a term as they are without these events, which are in rising order. */
export const without = (events: readonly number[], term: Term, keys: TermKeys, store: Stored): Relisted => {
  const gone = new Set(events);
  const drop: Buffer[] = [];
  const put: Posting[] = [];
  for (const posting of listsOf(term, (events[0] ?? 0) - 1, events.at(-1) ?? 0, keys, store)) {
    const all = [...seqsIn(posting)];
    const left = all.filter((seq) => !gone.has(seq));
    if (left.length === all.length) continue;
    drop.push(posting.key);
    if (left.length > 0) put.push(listOf(keys.key(term, left[0] ?? 0), left));
  }
  return { drop, put };
};
