import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';

/** Proof that the gateway, and its record, were alive at that moment. Bytes, milliseconds, counts. */
const Ticked = t.exact(
  t.type({
    boot: t.string,
    uptimeMs: Int,
    connections: Int,
    pending: Int,
    paired: Int,
    rssBytes: Int,
    loopDelayMs: Int,
  }),
);

const Changed = fields({ component: t.string, from: t.string, to: t.string }, { evidence: t.string });

export const healthEvents = {
  'health.ticked': kind(Ticked),
  'health.changed': kind(Changed),
};
