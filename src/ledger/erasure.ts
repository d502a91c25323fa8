import { type Event, numbersIn } from '../../events/index.js';
import type { Relisted } from './lists.js';
import type { Append } from './store.js';

/** Personal data that go: the events they belong to, and the lists of the index without them. */
export interface Erasure extends Relisted {
  readonly events: readonly number[];
}

/** Numbers of the events whose personal data go with these. */
export const erasedBy = (events: readonly Event[]): readonly number[] =>
  events.flatMap((event) => (event.type === 'log.erased' ? [...numbersIn(event.data.numbers)] : []));

const SAYS_SO = Buffer.from('"type":"log.erased"');

/** Do these events say that the personal data of all of those go? */
export const saySo = (erased: readonly number[], appends: readonly Append[]): boolean => {
  const named = appends
    .filter(({ bytes }) => bytes.includes(SAYS_SO))
    .flatMap(({ bytes }) => erasedBy([JSON.parse(bytes.toString()) as Event]));
  const known = new Set(named);
  return erased.every((seq) => known.has(seq));
};
