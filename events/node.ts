import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';

/**
 * A node is told to do something, after this is on the disk. `params` and `key` are keyed digests of its arguments and of the caller's
 * idempotency key: what they say is in no event. `node` is the connection that is told.
 */
const Invoked = fields(
  { invocation: t.string, device: t.string, node: t.string, command: t.string, timeoutMs: Int, key: t.string },
  { params: t.string },
);

/** What came of it: every invocation has exactly one of these. `code`: the node's own word for why not. */
const InvokeFinished = fields(
  {
    invocation: t.string,
    device: t.string,
    outcome: t.keyof({
      done: null,
      failed: null,
      'timed-out': null,
      'node-left': null,
      cancelled: null,
      'gateway-ended': null,
    }),
  },
  { durationMs: Int, code: t.string },
);

/** A node said that something happened. What it said of it is only known by its keyed digest. */
const Reported = fields({ device: t.string, event: t.string, bytes: Int }, { payload: t.string });

/** What it said beyond its share of a minute, counted: from and to in ms. */
const ReportsSummarised = t.exact(t.type({ device: t.string, from: Int, to: Int, total: Int }));

export const nodeEvents = {
  'node.invoked': kind(Invoked),
  'node.invoke-finished': kind(InvokeFinished),
  'node.reported': kind(Reported),
  'node.reports-summarised': kind(ReportsSummarised),
};
