import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import { RETENTION, type Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { actorOf, isAdmin, originOf, type Principal } from './principal.js';

export interface HoldAsk {
  readonly reason?: string | undefined;
  readonly by: Principal;
}

/** From now on nothing is moved to the archive. One that is in force stays as it is. */
export const hold = (views: Views, { reason, by }: HoldAsk): Decided => {
  if (!isAdmin(by)) return E.left(refusal('missing-scope'));
  if (views.retention.get(RETENTION)?.hold !== undefined) return E.right([]);
  return E.right([
    {
      type: 'log.held',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      data: reason === undefined ? {} : { reason },
      origin: originOf(by),
    },
  ]);
};

/** Ends the hold that is in force, if there is one. */
export const release = (views: Views, { by }: { readonly by: Principal }): Decided => {
  if (!isAdmin(by)) return E.left(refusal('missing-scope'));
  const inForce = views.retention.get(RETENTION)?.hold;
  if (inForce === undefined) return E.right([]);
  return E.right([
    {
      type: 'log.released',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      cause: inForce.seq,
      data: {},
      origin: originOf(by),
    },
  ]);
};
