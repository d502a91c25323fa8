import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { catalogue, type Event, type EventOf } from '../../events/index.js';
import type { Views } from '../../projections/index.js';
import { isWithin } from '../addresses.js';
import { approve } from '../decisions/approve.js';
import { approvableByRule } from '../decisions/connect.js';
import { deviceOfRequest } from '../decisions/device.js';
import type { FreshToken } from '../decisions/issue.js';
import type { Principal } from '../decisions/principal.js';
import { covers } from '../decisions/scopes.js';
import type { Refusal } from '../errors.js';
import { Draft, emptyViews } from '../ledger/draft.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { durationOf, timeOf } from './moments.js';
import { acceptanceOf, nameOf, type Person, personOf } from './people.js';
import { type JudgingRules, rulesIn } from './rules.js';

/** An approval that would be refused now. */
export interface Verdict extends Place {
  readonly requestId: string;
  readonly device: string;
  readonly name?: string | undefined;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly by: Person;
  readonly rule: string;
  /** Which rule refuses it, and why. */
  readonly refusedBy: string;
  readonly why: string;
  /** The pairing that it began is in force: remove the device, and let it ask again. */
  readonly inForce: boolean;
}

export interface Rejudged {
  readonly approvals: number;
  readonly refused: readonly Verdict[];
}

/** Replays every approval there ever was under today's rules, and under the given ones, and tells those that would be refused. */
export const rejudge = (file: string | undefined, evidence: Evidence): Either<Refusal, Rejudged> =>
  E.map((rules: JudgingRules) => {
    const draft = new Draft(emptyViews);
    const refused: Verdict[] = [];
    let approvals = 0;
    for (const event of decisionsIn(evidence)) {
      if (event.type === 'pairing.approved') {
        approvals++;
        const verdict = judge(event, draft.views, rules, evidence);
        if (verdict !== undefined) refused.push({ ...told(event, evidence), ...verdict });
      }
      draft.attempt(() => draft.fold(event));
    }
    return { approvals, refused };
  })(file === undefined ? E.right({}) : rulesIn(file));

/** What approvals depend on: all but connections, refusals and ticks. */
function* decisionsIn({ log, upTo }: Evidence): Iterable<Event> {
  const types = Object.keys(catalogue).filter((type) => /^(?:pairing|device|token)\./.test(type));
  const streams = types
    .map((type) => log.query({ terms: [`type:${type}`], upTo })[Symbol.iterator]())
    .map((events) => ({ events, next: events.next() }));
  for (;;) {
    const live = streams.filter(({ next }) => next.done !== true);
    const [first] = live.sort((a, b) => a.next.value.seq - b.next.value.seq);
    if (first === undefined) return;
    yield first.next.value;
    first.next = first.events.next();
  }
}

const told = (event: EventOf<'pairing.approved'>, evidence: Evidence) => {
  const { requestId, device, roles, scopes, rule } = event.data;
  return {
    ...placeOf(event),
    requestId,
    device,
    name: nameOf(device, evidence) ?? event.origin?.displayName,
    roles,
    scopes,
    by: personOf(event, evidence),
    rule,
    inForce: (evidence.views.paired.get(device)?.createdAt ?? Number.POSITIVE_INFINITY) <= event.at,
  };
};

export type Judgement = Pick<Verdict, 'refusedBy' | 'why'>;

/** Why an approval would be refused, on the views before it; undefined if it would not. */
export const judge = (
  event: EventOf<'pairing.approved'>,
  views: Views,
  rules: JudgingRules,
  evidence: Evidence,
): Judgement | undefined => {
  const asked = event.cause === undefined ? undefined : evidence.log.event(event.cause);
  if (asked?.type !== 'pairing.requested')
    return { refusedBy: 'today', why: 'the request that it approves is not in the log' };
  return (
    patternAgainst(event, asked, rules, evidence) ??
    (asked.data.silent ? byRule(asked, rules, evidence) : byPerson(event, views, evidence))
  );
};

/** Today's decision on yesterday's facts. */
const byPerson = (event: EventOf<'pairing.approved'>, views: Views, { originOf }: Evidence): Judgement | undefined => {
  const by = principalOf(event);
  const request = views.pending.get(event.data.device);
  /* Whether it was still waiting is no matter of rights, and is judged as of when it was last asked. */
  const now = request?.refreshedAt ?? event.at;
  const device = deviceOfRequest(views, event.data.requestId, { at: event.at, now });
  const { requestId } = event.data;
  const decided = approve(device, { requestId, by, fresh: NO_TOKEN, originOf }, { at: event.at, now });
  return E.isRight(decided) ? undefined : { refusedBy: 'today', why: decided.left.message };
};

const NO_TOKEN: FreshToken = { token: '', key: '', credential: '' };

const principalOf = ({ actor, origin }: Event): Principal => {
  switch (actor.kind) {
    case 'gateway':
      return { kind: 'gateway', rule: actor.rule };
    case 'host':
      return { kind: 'host', osUser: origin?.osUser ?? '' };
    case 'connection': {
      const { connection, method = 'token', role = 'operator', scopes = [], device, credential } = actor;
      return { kind: 'connection', connection, method, role, scopes, device, credential };
    }
  }
};

const byRule = (
  asked: EventOf<'pairing.requested'>,
  { autoApproveLocal: given }: JudgingRules,
  { log, setting }: Evidence,
): Judgement | undefined => {
  const { actor, data } = asked;
  const autoApproveLocal = given ?? setting.autoApproveLocal;
  if (actor.kind !== 'connection') return undefined;
  const accepted = acceptanceOf(actor.connection, log);
  const approvable = approvableByRule(data.need, {
    rules: { localClient: autoApproveLocal },
    local: accepted?.data.local === true,
    browser: asked.origin?.browserOrigin !== undefined,
    method: actor.method ?? 'token',
  });
  if (approvable) return undefined;
  return {
    refusedBy: 'today',
    why: autoApproveLocal ? 'no rule approves this without a person' : 'programs of this host are not approved by rule',
  };
};

const patternAgainst = (
  event: EventOf<'pairing.approved'>,
  asked: EventOf<'pairing.requested'>,
  { refuse = [] }: JudgingRules,
  evidence: Evidence,
): Judgement | undefined => {
  const { actor, data } = event;
  const by = actor.kind === 'connection' ? actor : undefined;
  const who: readonly unknown[] = by === undefined ? [actor.kind] : [by.device, by.connection, by.credential];
  const at = (said: string): number => E.getOrElse(() => Number.NaN)(timeOf(said, evidence.now));
  const found = refuse.find(
    (pattern) =>
      (pattern.after === undefined || event.at >= at(pattern.after)) &&
      (pattern.before === undefined || event.at < at(pattern.before)) &&
      (pattern.rules === undefined || pattern.rules.includes(data.rule)) &&
      (pattern.methods === undefined || pattern.methods.includes(by?.method ?? actor.kind)) &&
      (pattern.approvers === undefined || pattern.approvers.some((approver) => who.includes(approver))) &&
      (pattern.approverLacks === undefined ||
        (by !== undefined && !covers('operator', by.scopes ?? [], pattern.approverLacks))) &&
      (pattern.roles === undefined || data.roles.some((role) => pattern.roles?.includes(role))) &&
      (pattern.scopes === undefined || pattern.scopes.some((scope) => data.scopes.includes(scope))) &&
      (pattern.from === undefined || pattern.from.some((network) => isWithin(asked.origin?.address ?? '', network))) &&
      (pattern.fasterThan === undefined || event.at - asked.at < E.getOrElse(() => 0)(durationOf(pattern.fasterThan))),
  );
  return found && { refusedBy: found.name, why: 'it fits the pattern of the rules' };
};
