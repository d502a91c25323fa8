import { limits } from '../limits.js';
import type { Append, Store } from './store.js';

/** What lies in the log itself, in order, without what was moved to the archive: chunk by chunk, with no snapshot held between. */
export function* scan(store: () => Store, from: number, upTo: number): Iterable<Append> {
  for (let next = from; next <= upTo; ) {
    store().refresh();
    const chunk = store().slice(next, upTo, limits.ledger.readChunk);
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined) return;
    next = last.seq + 1;
  }
}
