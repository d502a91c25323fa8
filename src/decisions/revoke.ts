import * as E from 'fp-ts/lib/Either.js';
import { type Role, subjectOf } from '../../events/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import type { Device } from './device.js';
import { retirePrevious } from './issue.js';
import { actorOf, holds, isAdmin, originOf, ownsOrAdmin, type Principal } from './principal.js';

export interface Revoke {
  readonly role: Role;
  readonly by: Principal;
}

/** Kills the token of a device and role at once, and one that was in its grace with it. For leaks. Twice is once. */
export const revoke = (device: Device, { role, by }: Revoke): Decided => {
  if (!ownsOrAdmin(by, device.id) || (role !== 'operator' && !isAdmin(by))) return E.left(refusal('revocation-denied'));
  const token = device.paired?.tokens[role];
  if (token === undefined) return E.left(refusal('unknown-token'));
  if (!holds(by, token.scopes)) return E.left(refusal('revocation-denied'));
  if (token.revokedAt !== undefined) return E.right([]);
  const actor = actorOf(by);
  return E.right([
    {
      type: 'token.revoked',
      subject: subjectOf.device(device.id),
      actor,
      cause: token.seq,
      data: { device: device.id, role, token: token.token, credential: token.credential },
      origin: originOf(by),
    },
    ...retirePrevious(device.id, role, token, 'revoked', actor),
  ]);
};
