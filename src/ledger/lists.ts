import type { Term } from '../../events/index.js';
import { limits } from '../limits.js';
import { lastIn, lessened, type Posting, type TermKeys } from './postings.js';
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

/** A stored list, and those of its events that leave it, in rising order. */
interface Left {
  readonly posting: Posting;
  readonly last: number;
  readonly leaving: number[];
}

/** Events, and the lists that have to be written anew without them. */
export interface Leaving {
  readonly events: readonly number[];
  readonly lists: readonly Left[];
}

/** What one commit may write anew. */
export interface Most {
  readonly lists: number;
  readonly listBytes: number;
}

/**
 * The lists that events, in rising order, leave: for each event its own is looked up, however many there are of its term. With `most`, only as
 * many of the first events as that allows, and one at least.
 */
export const leaving = (
  events: readonly number[],
  termOf: (seq: number) => Term | undefined,
  keys: TermKeys,
  store: Stored,
  most: Most = { lists: Number.POSITIVE_INFINITY, listBytes: Number.POSITIVE_INFINITY },
): Leaving => {
  const lists: Left[] = [];
  /* Lists of one term do not overlap: with rising events only the last that was found can have the next. */
  const latest = new Map<Term, Left>();
  let bytes = 0;
  for (const [taken, seq] of events.entries()) {
    const term = termOf(seq);
    if (term === undefined) continue;
    const known = latest.get(term);
    const list = known !== undefined && seq <= known.last ? known : listAt(term, seq, keys, store);
    if (list === undefined || seq > list.last) continue;
    if (list !== known) {
      bytes += list.posting.value.length;
      if (lists.length > 0 && (lists.length === most.lists || bytes > most.listBytes))
        return { events: events.slice(0, taken), lists };
      latest.set(term, list);
      lists.push(list);
    }
    list.leaving.push(seq);
  }
  return { events, lists };
};

/** The only list of a term that can have this event. */
const listAt = (term: Term, seq: number, keys: TermKeys, store: Stored): Left | undefined => {
  const posting = store.postingBefore(keys.key(term, seq));
  if (posting === undefined || Buffer.compare(posting.key, keys.key(term, 0)) < 0) return undefined;
  return { posting, last: lastIn(posting), leaving: [] };
};

/** The lists as they are without these events. */
export const without = ({ lists }: Leaving): Relisted => ({
  drop: lists.map(({ posting }) => posting.key),
  put: lists.flatMap(({ posting, leaving }) => lessened(posting, leaving) ?? []),
});
