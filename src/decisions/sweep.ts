import { type Fact, subjectOf } from '../../events/index.js';
import type { PendingRequest, Views } from '../../projections/index.js';
import type { Moment } from './decision.js';
import { waits } from './device.js';
import { retirePrevious } from './issue.js';

const ACTOR = { kind: 'gateway', rule: 'expiry' } as const;

/** What time has ended: requests nobody decided, and the graces of replaced tokens. At most `most` facts at once. */
export const sweep = (views: Views, moment: Moment, most: number): readonly Fact[] =>
  [...expired(views, moment), ...graceEnded(views, moment)].slice(0, most);

function* expired(views: Views, moment: Moment): Iterable<Fact> {
  for (const [, request] of views.pending.entries()) {
    if (!waits(request, views, moment)) yield expiryOf(request);
  }
}

/** Nobody decided it in time. */
export const expiryOf = ({ requestId, device, seq }: PendingRequest): Fact => ({
  type: 'pairing.expired',
  subject: subjectOf.device(device),
  actor: ACTOR,
  cause: seq,
  data: { requestId, device },
});

function* graceEnded(views: Views, { now }: Moment): Iterable<Fact> {
  for (const [, { device, role, until }] of views.graces.entries()) {
    if (now < until) continue;
    const token = views.paired.get(device)?.tokens[role];
    for (const fact of retirePrevious(device, role, token, 'grace-ended', ACTOR)) yield { ...fact, cause: token?.seq };
  }
}
