import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Role } from '../../events/index.js';
import { nameOf } from '../../projections/index.js';
import type { Refusal } from '../errors.js';
import type { Evidence } from './evidence.js';
import { durationOf } from './moments.js';

/** A device, and what of it nobody has used. */
export interface Stale {
  readonly device: string;
  readonly name?: string | undefined;
  readonly approvedAt: number;
  /** Its approval in the log. */
  readonly seq: number;
  /** Undefined if it never came. */
  readonly seenAt?: number | undefined;
  /** All of it is stale, not only a token. */
  readonly whole: boolean;
  readonly tokens: readonly {
    readonly role: Role;
    readonly credential: string;
    readonly issuedAt: number;
    readonly usedAt?: number | undefined;
  }[];
}

export interface StaleList {
  readonly since: number;
  readonly devices: readonly Stale[];
}

/** Devices and tokens that nobody has used for so long. A session that is open is use; what was approved or issued since then is not stale. */
export const stale = (notSeen: string, { views, originOf, now }: Evidence): Either<Refusal, StaleList> =>
  E.map((ms: number) => {
    const since = now - ms;
    const open = new Set([...views.connected.entries()].map(([, { device, role }]) => `${device} ${role}`));
    const devices: Stale[] = [];
    for (const [device, row] of views.paired.entries()) {
      const usage = views.usage.get(device);
      const roles = Object.entries(row.tokens) as [Role, NonNullable<(typeof row.tokens)[Role]>][];
      const isOpen = row.roles.some((role) => open.has(`${device} ${role}`));
      const tokens = roles
        .filter(([, { revokedAt }]) => revokedAt === undefined)
        .map(([role, { credential, createdAt, rotatedAt }]) => ({
          role,
          credential,
          issuedAt: rotatedAt ?? createdAt,
          usedAt: usage?.tokens[role],
        }))
        .filter(
          ({ role, issuedAt, usedAt }) => !open.has(`${device} ${role}`) && Math.max(issuedAt, usedAt ?? 0) < since,
        );
      const whole = !isOpen && Math.max(row.approvedAt, usage?.seenAt ?? 0) < since;
      if (!whole && tokens.length === 0) continue;
      const { approvedAt, seq } = row;
      devices.push({ device, name: nameOf(row, originOf), approvedAt, seq, seenAt: usage?.seenAt, whole, tokens });
    }
    return { since, devices: devices.sort((a, b) => (a.seenAt ?? 0) - (b.seenAt ?? 0)) };
  })(durationOf(notSeen));
