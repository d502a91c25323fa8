import type { Actor, DataOf, Fact, Role } from '../../events/index.js';
import { subjectOf } from '../../events/index.js';
import type { DeviceToken } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { Moment } from './decision.js';
import { sorted } from './scopes.js';

/** A token that does not exist yet: its random id comes with the command, and with it the key and the fingerprint of its value. */
export interface FreshToken {
  readonly token: string;
  readonly key: string;
  readonly credential: string;
}

interface Issue {
  readonly type: 'token.issued' | 'token.rotated';
  readonly device: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly fresh: FreshToken;
  readonly before: DeviceToken | undefined;
  readonly by: Actor;
}

/**
 * A new token for a device and role. The one it replaces works until the new one is first used or ten minutes have passed, so
 * that nobody is locked out by a token that was on its way; one that was already in such a grace ends now.
 */
export const issue = ({ type, device, role, scopes, fresh, before, by }: Issue, moment: Moment): readonly Fact[] => {
  const replaces = before !== undefined && before.revokedAt === undefined;
  return [
    {
      type,
      subject: subjectOf.device(device),
      actor: by,
      cause: type === 'token.rotated' ? before?.seq : 'previous',
      data: {
        device,
        role,
        ...fresh,
        scopes: [...sorted(scopes)],
        ...(replaces ? { replaces: before.token, graceUntil: moment.now + limits.pairing.tokenGraceMs } : {}),
      },
    },
    ...retirePrevious(device, role, before, 'replaced-again', by),
  ];
};

/** Ends the grace of a replaced token, if there is one, because of the fact before. */
export const retirePrevious = (
  device: string,
  role: Role,
  token: DeviceToken | undefined,
  reason: DataOf<'token.retired'>['reason'],
  actor: Actor,
): readonly Fact[] =>
  token?.previous === undefined
    ? []
    : [
        {
          type: 'token.retired',
          subject: subjectOf.device(device),
          actor,
          cause: 'previous',
          data: { device, role, token: token.previous.token, credential: token.previous.credential, reason },
        },
      ];
