import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { PendingRequest } from '../../projections/index.js';
import { type Refusal, type RefusalCode, refusal } from '../errors.js';
import type { Device } from './device.js';
import { isAdmin, type Principal } from './principal.js';

/** One rule that a subject passes or is refused by. */
export type Step<A> = (subject: A) => Either<Refusal, A>;

/**
 * The request that an id names, for somebody who wants to decide it. An id that was superseded says by which, and how the two
 * differ: nobody says yes to content they were not shown. To callers without admin an id that is gone looks like one that is
 * not theirs.
 */
export const requestOf = (
  device: Device | undefined,
  requestId: string,
  by: Principal,
  denied: RefusalCode,
): Either<Refusal, PendingRequest> => {
  const pending = device?.pending;
  if (pending === undefined) return E.left(refusal(isAdmin(by) ? 'unknown-request' : denied));
  return pending.requestId === requestId ? E.right(pending) : E.left(superseded(pending, requestId));
};

const superseded = (pending: PendingRequest, requestId: string): Refusal => {
  const old = pending.superseded.find((request) => request.requestId === requestId);
  const more = {
    roles: pending.roles.filter((role) => !old?.roles.includes(role)),
    scopes: pending.scopes.filter((scope) => !old?.scopes.includes(scope)),
  };
  const added = [...more.roles.map((role) => `role ${role}`), ...more.scopes].join(', ') || 'other device details';
  return refusal(
    'request-superseded',
    `unknown requestId: superseded by ${pending.requestId}, which also asks for ${added}`,
    {
      code: 'REQUEST_SUPERSEDED',
      requestId: pending.requestId,
      added: more,
    },
  );
};
