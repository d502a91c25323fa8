import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';

/**
 * Somebody asks whether a command may be run. `plan` is a keyed digest of all that would be run, and where; `device` the node that would
 * run it. What is approved is this plan and no other.
 */
const Requested = fields({ approval: t.string, plan: t.string, expiresAt: Int }, { device: t.string });

const Decided = t.exact(
  t.type({
    approval: t.string,
    plan: t.string,
    decision: t.keyof({ 'allow-once': null, 'allow-always': null, deny: null }),
  }),
);

/** Nobody decided in time, or the gateway ended first. */
const Expired = t.exact(t.type({ approval: t.string, why: t.keyof({ 'timed-out': null, 'gateway-ended': null }) }));

/** A node is told to run it. What is allowed once is used up. */
const Used = t.exact(t.type({ approval: t.string, invocation: t.string, device: t.string }));

export const execEvents = {
  'exec.approval-requested': kind(Requested),
  'exec.approval-decided': kind(Decided),
  'exec.approval-expired': kind(Expired),
  'exec.approval-used': kind(Used),
};
