import * as E from 'fp-ts/lib/Either.js';
import { type DataOf, subjectOf } from '../../events/index.js';
import type { Decided } from './decision.js';
import { actorOf, originOf, type Principal } from './principal.js';

export interface Restoring {
  /** What had been signed for, and what is there instead. */
  readonly found: Omit<DataOf<'log.restored'>, 'reason'>;
  readonly reason: string;
  readonly by: Principal;
}

/** Somebody who owns the host says that an older or another log than the one last signed for is to be gone on with. */
export const restore = ({ found, reason, by }: Restoring): Decided =>
  E.right([
    {
      type: 'log.restored',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      data: { ...found, reason },
      origin: originOf(by),
    },
  ]);
