import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import type { Credential } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { actorOf, isAdmin, originOf, type Principal } from './principal.js';

export interface BarSecret {
  /** Its fingerprint. */
  readonly credential: string;
  readonly by: Principal;
}

/** Others have this gateway secret: it is never accepted again, not even if a restart finds it configured. Twice is once. */
export const barSecret = (known: Credential | undefined, { credential, by }: BarSecret): Decided => {
  if (!isAdmin(by)) return E.left(refusal('missing-scope', 'missing scope: operator.admin'));
  if (known?.kind !== 'secret' || known.leaked !== undefined) return E.right([]);
  return E.right([
    {
      type: 'gateway.secret-barred',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      cause: known.seq,
      data: { credential },
      origin: originOf(by),
    },
  ]);
};
