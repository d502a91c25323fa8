import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Fact, type Role, subjectOf } from '../../events/index.js';
import { GATEWAY, type Views } from '../../projections/index.js';
import { type Refusal, refusal } from '../errors.js';
import { barSecret } from './bar-secret.js';
import type { Decided, Moment } from './decision.js';
import { deviceIn, deviceOfRequest } from './device.js';
import { actorOf, isAdmin, originOf, type Principal } from './principal.js';
import { reject } from './reject.js';
import { remove } from './remove.js';
import { revoke } from './revoke.js';
import { rotateSecret } from './rotate-secret.js';

/** One thing to do about a leaked credential; `because`: the event that put it on the list. */
export type Step =
  | { readonly do: 'rotate-secret'; readonly credential: string }
  /** It has been replaced already; what is left is that it never comes back. */
  | { readonly do: 'bar-secret'; readonly credential: string }
  | {
      readonly do: 'revoke-token';
      readonly device: string;
      readonly role: Role;
      readonly credential: string;
      readonly because: number;
    }
  | { readonly do: 'remove-device'; readonly device: string; readonly because: number }
  | { readonly do: 'reject-request'; readonly requestId: string; readonly device: string; readonly because: number };

/** What is in other hands: a credential, or a device with all it holds. */
export interface Lost {
  readonly credential?: string | undefined;
  readonly device?: string | undefined;
}

export interface Contain extends Lost {
  readonly incident: string;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  /** Devices that somebody vouched for. */
  readonly kept: readonly string[];
  readonly plan: readonly Step[];
  /** Digest of the plan, in hex. */
  readonly digest: string;
  /** The secret that would replace a leaked one, by fingerprint, and where it is kept. */
  readonly next: { readonly credential: string; readonly source: string };
  readonly by: Principal;
  /** The event that opened the incident, when this is not its first round. */
  readonly opened?: number | undefined;
}

/**
 * Shuts out what derives from a leaked credential: all of it at once, by the same decisions that people take one by one, and each because
 * of the incident. What is gone already is passed over. Refused if it would cut off the one who asks for it.
 */
export const contain = (views: Views, command: Contain, moment: Moment): Decided => {
  const { by, plan, opened } = command;
  if (!isAdmin(by)) return E.left(refusal('missing-scope', 'missing scope: operator.admin'));
  if (cutsOff(by, command)) return E.left(refusal('cuts-caller'));
  const done = once(plan).flatMap((step) => factsOf(carryOut(step, views, command, moment)));
  const cause = opened ?? 'first';
  const measures = done.map((fact): Fact => (fact.cause === 'previous' ? fact : { ...fact, cause }));
  return E.right([...(opened === undefined ? [opening(command)] : []), ...measures]);
};

/**
 * The steps are decided on the same views, so what two of them end is ended by the first: a token and the one before it in its grace go
 * together, and a device takes its tokens and its request with it.
 */
const once = (plan: readonly Step[]): readonly Step[] => {
  const removed = new Set(plan.flatMap((step) => (step.do === 'remove-device' ? [step.device] : [])));
  const rest = plan.filter((step) => !('device' in step) || step.do === 'remove-device' || !removed.has(step.device));
  const ended = new Set<string>();
  return rest.filter((step) => {
    const before = ended.size;
    return ended.add(whatEnds(step)).size > before;
  });
};

const whatEnds = (step: Step): string => {
  switch (step.do) {
    case 'rotate-secret':
    case 'bar-secret':
      return `${step.do} ${step.credential}`;
    case 'revoke-token':
      return `${step.do} ${step.device} ${step.role}`;
    case 'remove-device':
      return `${step.do} ${step.device}`;
    case 'reject-request':
      return `${step.do} ${step.requestId}`;
  }
};

const factsOf = (decided: Either<Refusal, readonly Fact[]>): readonly Fact[] =>
  E.isRight(decided) ? decided.right : [];

const carryOut = (step: Step, views: Views, { by, next }: Contain, moment: Moment): Decided => {
  switch (step.do) {
    case 'rotate-secret': {
      const gateway = views.gateway.get(GATEWAY);
      if (gateway?.secret?.credential !== step.credential) return E.right([]);
      return both(
        rotateSecret(gateway, { to: next.credential, source: next.source, by }),
        barSecret(views.credentials.get(step.credential), { credential: step.credential, by }),
      );
    }
    case 'bar-secret':
      return barSecret(views.credentials.get(step.credential), { credential: step.credential, by });
    case 'revoke-token':
      return revoke(deviceIn(views, step.device, moment), { role: step.role, by });
    case 'remove-device':
      return remove(deviceIn(views, step.device, moment), { by });
    case 'reject-request':
      return reject(deviceOfRequest(views, step.requestId, moment), { requestId: step.requestId, by });
  }
};

const both = (one: Decided, other: Decided): Decided =>
  E.isLeft(one) ? one : E.map((facts: readonly Fact[]) => [...one.right, ...facts])(other);

/** Would the one who asks lose the connection it asks through? */
export const cutsOff = (by: Principal, { credential, device, plan }: Lost & Pick<Contain, 'plan'>): boolean =>
  by.kind === 'connection' &&
  by.method !== 'host-proof' &&
  ((credential !== undefined && by.credential === credential) ||
    (device !== undefined && by.device === device) ||
    plan.some((step) =>
      step.do === 'remove-device' || step.do === 'revoke-token'
        ? by.device === step.device
        : step.do === 'rotate-secret' && by.credential === step.credential,
    ));

/** What a plan does, by number. */
export const countsOf = (plan: readonly Step[]) => {
  const count = (what: Step['do']): number => plan.filter((step) => step.do === what).length;
  return {
    secret: count('rotate-secret') > 0 || count('bar-secret') > 0,
    tokens: count('revoke-token'),
    devices: count('remove-device'),
    requests: count('reject-request'),
  };
};

const opening = ({ incident, credential, device, since, until, kept, plan, digest, by }: Contain): Fact => ({
  type: 'gateway.incident-opened',
  subject: subjectOf.gateway,
  actor: actorOf(by),
  data: {
    incident,
    ...countsOf(plan),
    plan: digest,
    ...(credential === undefined ? {} : { credential }),
    ...(device === undefined ? {} : { device }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(kept.length === 0 ? {} : { kept: [...kept] }),
  },
  origin: originOf(by),
});

/** What was done, by number. */
export type Done = ReturnType<typeof countsOf>;

export interface Close extends Lost {
  readonly incident: string;
  readonly opened: number;
  readonly rounds: number;
  readonly done: Done;
  readonly sessions: number;
  readonly by: Principal;
}

/** Nothing that derives from the credential is left. */
export const closeIncident = ({ incident, credential, device, opened, rounds, done, sessions, by }: Close): Decided =>
  E.right([
    {
      type: 'gateway.incident-closed',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      cause: opened,
      data: {
        incident,
        rounds,
        ...done,
        sessions,
        ...(credential === undefined ? {} : { credential }),
        ...(device === undefined ? {} : { device }),
      },
      origin: originOf(by),
    },
  ]);
