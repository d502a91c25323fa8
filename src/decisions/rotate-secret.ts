import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import type { GatewayRow } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { actorOf, isAdmin, originOf, type Principal } from './principal.js';

export interface RotateSecret {
  /** The new secret, by fingerprint, and the place where it is kept. */
  readonly to: string;
  readonly source: string;
  readonly by: Principal;
}

/** Another shared secret, from now on. Sessions that came by the old one end. */
export const rotateSecret = (gateway: GatewayRow | undefined, { to, source, by }: RotateSecret): Decided =>
  isAdmin(by)
    ? E.right([
        {
          type: 'gateway.secret-rotated',
          subject: subjectOf.gateway,
          actor: actorOf(by),
          cause: gateway?.secret?.seq,
          data: { from: gateway?.secret?.credential, to, source },
          origin: originOf(by),
        },
      ])
    : E.left(refusal('missing-scope', 'missing scope: operator.admin'));
