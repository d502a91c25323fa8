import type { Event } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Reader, subjectTerm, typeTerm } from './reader.js';
import type { Store, Term } from './store.js';

/*
 * The index of terms is a fold that trails the log: sorted batches cost half of what single entries cost inside each commit.
 * It says how far it has come, and whoever asks reads the rest from the log.
 */

const termsOf = ({ type, subject, seq }: Event): readonly Term[] => [
  [typeTerm(type), seq],
  [subjectTerm(subject), seq],
];

const byTerm = ([a, m]: Term, [b, n]: Term): number => (a < b ? -1 : a > b ? 1 : m - n);

/** Folds the next batch of events into the index. True if more are waiting. */
export const indexMore = (store: Store, reader: Reader): boolean => {
  const indexed = store.indexed();
  const events = [...reader.range({ after: indexed, upTo: indexed + limits.ledger.indexBatch })];
  if (events.length > 0) store.index(events.flatMap(termsOf).sort(byTerm), indexed + events.length);
  return events.length === limits.ledger.indexBatch;
};
