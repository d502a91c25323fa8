import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';

/**
 * Proof that the gateway, and its record, were alive at that moment. Bytes, milliseconds, counts. `position`: the last event before it. What takes a look
 * at the disk or the system was looked at since the tick before, and is absent in the first.
 */
const Ticked = fields(
  {
    boot: t.string,
    uptimeMs: Int,
    connections: Int,
    pending: Int,
    paired: Int,
    rssBytes: Int,
    loopDelayMs: Int,
  },
  { position: Int, diskFreeBytes: Int, descriptors: Int },
);

const Changed = fields({ component: t.string, from: t.string, to: t.string }, { evidence: t.string });

/** What is not well was begun again, for the so-and-so-many-th time within an hour. Whether that helped, the next look says. */
const Mended = fields(
  { component: t.string, attempt: Int, outcome: t.keyof({ done: null, failed: null }) },
  { evidence: t.string },
);

export const healthEvents = {
  'health.ticked': kind(Ticked),
  'health.changed': kind(Changed),
  'health.mended': kind(Mended),
};
