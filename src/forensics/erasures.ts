import { type Event, isErased, isInRanges } from '../../events/index.js';
import type { Evidence } from './evidence.js';

/** The event that erased the personal data of another; undefined if they were not erased, or if what says so cannot be read. */
export const erasedBy = (
  event: Event | undefined,
  { log, upTo }: Pick<Evidence, 'log' | 'upTo'>,
): number | undefined => {
  if (event === undefined || !isErased(event)) return undefined;
  for (const said of log.query({ terms: ['type:log.erased'], after: event.seq, upTo }))
    if (said.type === 'log.erased' && isInRanges(said.data.numbers, event.seq)) return said.seq;
  return undefined;
};
