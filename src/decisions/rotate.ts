import * as E from 'fp-ts/lib/Either.js';
import type { Role } from '../../events/index.js';
import { refusal } from '../errors.js';
import type { Decided, Moment } from './decision.js';
import type { Device } from './device.js';
import { type FreshToken, issue } from './issue.js';
import { actorOf, holds, isAdmin, ownsOrAdmin, type Principal } from './principal.js';
import { coversAll } from './scopes.js';

export interface Rotate {
  readonly role: Role;
  /** What the new token shall carry; as before if absent. */
  readonly scopes?: readonly string[] | undefined;
  readonly by: Principal;
  readonly fresh: FreshToken;
}

/**
 * Replaces the token of a device and role: hygiene, not an emergency brake, so the old one has its grace. The new one never
 * carries more than the device was granted, nor more than whoever rotates holds (CVE-2026-32922), and is told to nobody but
 * the device (protocol.md §6.6, §6.8).
 */
export const rotate = (device: Device, { role, scopes: wanted, by, fresh }: Rotate, moment: Moment): Decided => {
  if (!ownsOrAdmin(by, device.id) || (role !== 'operator' && !isAdmin(by))) return E.left(refusal('rotation-denied'));
  const before = device.paired?.tokens[role];
  const scopes = wanted ?? before?.scopes;
  if (device.paired === undefined || before === undefined || scopes === undefined)
    return E.left(refusal('unknown-token'));
  if (!coversAll(role, device.paired.scopes, scopes)) return E.left(refusal('unknown-token'));
  if (!holds(by, [...before.scopes, ...scopes])) return E.left(refusal('rotation-denied'));
  return E.right(
    issue({ type: 'token.rotated', device: device.id, role, scopes, fresh, before, by: actorOf(by) }, moment),
  );
};
