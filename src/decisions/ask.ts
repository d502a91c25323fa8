import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import {
  type Actor,
  type Client,
  type EventOf,
  type Fact,
  type Need,
  type Origin,
  type Role,
  subjectOf,
} from '../../events/index.js';
import { askerOf, type OriginOf, type PendingRequest } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { Moment } from './decision.js';
import type { Device } from './device.js';
import { compare } from './platform.js';
import { coversAll, union } from './scopes.js';
import { expiryOf } from './sweep.js';

/** What a device wants and has not been granted. */
export interface Ask {
  readonly requestId: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly client: Client;
  readonly need: Need;
  readonly session?: string | undefined;
  readonly actor: Actor;
  readonly origin: Origin;
}

/** What else an ask depends on. */
export interface Waiting {
  /** How many requests wait already. */
  readonly waiting: () => number;
  readonly originOf: OriginOf;
}

/** The id under which the ask waits, and what had to be recorded for it. */
export interface Filed {
  readonly requestId: string;
  readonly facts: readonly Fact[];
}

/**
 * Files an ask (protocol.md §6.4, the v4 rule). A device has one: the same again, or less, refreshes it under its id; more is
 * another request that holds both and supersedes it. A full list refuses the new and evicts nobody.
 */
export const file = (
  device: Device,
  ask: Ask,
  { waiting, originOf }: Waiting,
  moment: Moment,
): Either<'full', Filed> => {
  const { pending } = device;
  if (pending !== undefined && contains(pending, ask)) return E.right(refreshed(pending, ask, moment));
  if (pending === undefined && waiting() >= limits.pairing.pending) return E.left('full');
  return E.right(pending === undefined ? asked(device, ask) : superseding(device, ask, pending, originOf));
};

/** Whoever approves the request approves this ask too, on what they were shown. */
const contains = (pending: PendingRequest, ask: Ask): boolean =>
  pending.publicKey === ask.publicKey &&
  pending.roles.includes(ask.role) &&
  coversAll(ask.role, pending.scopes, ask.scopes) &&
  compare(pending.client, ask.client) !== 'changed';

const refreshed = (pending: PendingRequest, { actor, origin }: Ask, { at }: Moment): Filed => ({
  requestId: pending.requestId,
  facts:
    at - pending.refreshedAt < limits.pairing.refreshMs
      ? []
      : [
          {
            type: 'pairing.refreshed',
            subject: subjectOf.device(pending.device),
            actor,
            cause: pending.seq,
            data: { requestId: pending.requestId, device: pending.device },
            origin,
          },
        ],
});

const asked = (device: Device, ask: Ask): Filed => ({
  requestId: ask.requestId,
  facts: [
    ...(device.expired === undefined ? [] : [expiryOf(device.expired)]),
    requested(device, ask, { silent: false }),
  ],
});

/** The name is kept of whoever does not say it again. */
const superseding = (device: Device, { origin, ...ask }: Ask, old: PendingRequest, originOf: OriginOf): Filed => ({
  requestId: ask.requestId,
  facts: [
    {
      type: 'pairing.superseded',
      subject: subjectOf.device(device.id),
      actor: ask.actor,
      cause: old.seq,
      data: { requestId: old.requestId, device: device.id, by: ask.requestId },
    },
    {
      ...requested(
        device,
        {
          ...ask,
          scopes: union(old.scopes, ask.scopes),
          session: ask.session ?? old.session,
          origin: { ...origin, displayName: origin.displayName ?? askerOf(old, originOf).displayName },
        },
        { silent: false, old },
      ),
      cause: 'previous',
    },
  ],
});

type Requested = Omit<EventOf<'pairing.requested'>, 'seq' | 'at' | 'v' | 'cause'> & Fact;

/** The event of an ask; `silent` if a rule approves it in the same breath. */
export const requested = (
  { id, paired }: Device,
  ask: Ask,
  { silent, old }: { readonly silent: boolean; readonly old?: PendingRequest },
): Requested => ({
  type: 'pairing.requested',
  subject: subjectOf.device(id),
  actor: ask.actor,
  data: {
    requestId: ask.requestId,
    device: id,
    publicKey: ask.publicKey,
    role: ask.role,
    roles: [...union(old?.roles ?? [], [ask.role])],
    scopes: [...ask.scopes],
    client: ask.client,
    need: ask.need,
    silent,
    repair: paired !== undefined,
    ...(old === undefined ? {} : { supersedes: old.requestId }),
    ...(ask.session === undefined ? {} : { session: ask.session }),
    ...(paired !== undefined && ask.need === 'metadata-upgrade'
      ? { pinned: { platform: paired.client.platform, deviceFamily: paired.client.deviceFamily } }
      : {}),
  },
  origin: ask.origin,
});
