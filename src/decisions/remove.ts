import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Fact, subjectOf } from '../../events/index.js';
import type { PairedDevice } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import type { Device } from './device.js';
import { actorOf, mayManage, originOf, type Principal } from './principal.js';

export interface Remove {
  readonly by: Principal;
  /** Only if it has not been here since this time (ms). `seenAt`: when it was, or `open` if it is here now. */
  readonly unseen?: { readonly since: number; readonly seenAt: number | 'open' | undefined } | undefined;
}

/** Shuts a device out: its record, its tokens and whatever it still asked for are gone, and its sessions end. Its key may ask again. */
export const remove = (device: Device, { by, unseen }: Remove): Decided =>
  pipe(
    mayManage(by, device.id) ? E.right(device.paired) : E.left(refusal('removal-denied')),
    E.flatMap(E.fromNullable(refusal('unknown-device'))),
    E.filterOrElse(
      ({ approvedAt }) => unseen === undefined || isUnseen(unseen, approvedAt),
      () => refusal('device-seen'),
    ),
    E.map((paired): readonly Fact[] => [
      {
        type: 'device.removed',
        subject: subjectOf.device(device.id),
        actor: actorOf(by),
        cause: paired.seq,
        data: { device: device.id, credentials: liveCredentials(paired) },
        origin: originOf(by),
      },
      ...dropped(device, by),
    ]),
  );

const isUnseen = ({ since, seenAt }: NonNullable<Remove['unseen']>, approvedAt: number): boolean =>
  seenAt !== 'open' && Math.max(seenAt ?? 0, approvedAt) < since;

/** Fingerprints of the tokens that still open the door. */
const liveCredentials = ({ tokens }: PairedDevice): string[] =>
  Object.values(tokens).flatMap((token) => [
    ...(token.revokedAt === undefined ? [token.credential] : []),
    ...(token.previous === undefined ? [] : [token.previous.credential]),
  ]);

/** An upgrade that waited would otherwise bring the device back by an approval of yesterday's question. */
const dropped = ({ id, pending }: Device, by: Principal): readonly Fact[] =>
  pending === undefined
    ? []
    : [
        {
          type: 'pairing.rejected',
          subject: subjectOf.device(id),
          actor: actorOf(by),
          cause: 'previous',
          data: { requestId: pending.requestId, device: id },
          origin: originOf(by),
        },
      ];
