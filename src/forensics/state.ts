import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { GATEWAY, type Views } from '../../projections/index.js';
import { waits } from '../decisions/device.js';
import type { Refusal } from '../errors.js';
import { type PairEntries, pairEntries } from '../protocol/pairing.js';
import type { Evidence, Place } from './evidence.js';
import { seqOf, timeOf } from './moments.js';

/* The gateway as it was, by replay. */

/** The last event that the picture includes, and when the picture is of (ms): how old a request was then depends on it. */
export interface Moment extends Place {
  readonly asOf: number;
}

export const momentOf = (said: string, evidence: Evidence): Either<Refusal, Moment> => {
  const seq = seqOf(said, evidence);
  if (E.isLeft(seq)) return seq;
  const at = evidence.log.event(seq.right)?.at ?? 0;
  const named = timeOf(said, evidence.now);
  return E.right({ seq: seq.right, at, asOf: E.isRight(named) ? Math.min(named.right, evidence.now) : at });
};

export interface DevicesThen extends PairEntries {
  readonly moment: Moment;
}

/** `devices list` as it would have answered. */
export const devicesAt = (said: string, evidence: Evidence): Either<Refusal, DevicesThen> =>
  E.map((moment: Moment) => {
    const views = evidence.viewsAt(moment.seq);
    const connected = new Set([...views.connected.entries()].map(([, { device }]) => device));
    return {
      moment,
      ...pairEntries(
        views,
        evidence.originOf,
        moment.asOf,
        () => true,
        4,
        (device) => connected.has(device),
      ),
    };
  })(momentOf(said, evidence));

/** A session that was open. */
export interface OpenThen {
  readonly connection: string;
  readonly seq: number;
  readonly since: number;
  readonly device?: string | undefined;
  readonly role: string;
  readonly method: string;
  readonly credential?: string | undefined;
}

/** How a component was. */
export interface HealthThen {
  readonly component: string;
  readonly state: string;
  readonly seq: number;
  readonly since: number;
  readonly evidence?: string | undefined;
}

export interface StatusThen {
  readonly moment: Moment;
  readonly running: boolean;
  readonly boot?: { readonly id: string; readonly seq: number; readonly at: number } | undefined;
  /** The shared secret in force, by fingerprint. */
  readonly secret?: { readonly credential: string; readonly seq: number } | undefined;
  readonly paired: number;
  readonly pending: number;
  readonly connections: readonly OpenThen[];
  /** Components of which something had been said since the start. */
  readonly health: readonly HealthThen[];
}

export const statusAt = (said: string, evidence: Evidence): Either<Refusal, StatusThen> =>
  E.map((moment: Moment) => statusIn(evidence.viewsAt(moment.seq), moment))(momentOf(said, evidence));

const statusIn = (views: Views, moment: Moment): StatusThen => {
  const gateway = views.gateway.get(GATEWAY);
  return {
    moment,
    running: gateway?.boot !== undefined && !gateway.boot.stopped,
    boot: gateway?.boot,
    secret: gateway?.secret,
    paired: views.paired.size(),
    pending: [...views.pending.entries()].filter(([, request]) => waits(request, views, { now: moment.asOf })).length,
    connections: [...views.connected.entries()].map(([key, { seq, at, device, role, method, credential }]) => ({
      connection: key.split('/').at(-1) ?? key,
      seq,
      since: at,
      device,
      role,
      method,
      credential,
    })),
    health: [...views.health.entries()].map(([component, { seq, at, state, evidence }]) => ({
      component,
      state,
      seq,
      since: at,
      evidence,
    })),
  };
};
