import * as E from 'fp-ts/lib/Either.js';
import { type DataOf, type EventType, subjectOf } from '../../events/index.js';
import { RETENTION, type Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { actorOf, originOf, type Principal } from './principal.js';

/** Ticks and connections: many, and of little value once they are old. Decisions stay in the log for ever. */
export const isMovable = (type: EventType): boolean => type.startsWith('connection.') || type.startsWith('health.');

export interface Archiving {
  /** The file, as it lies on the disk. */
  readonly sealed: DataOf<'log.archived'>;
  readonly by: Principal;
}

/** Events were written to a segment and may go from the log, unless somebody said no meanwhile. */
export const archive = (views: Views, { sealed, by }: Archiving): Decided => {
  const { hold, upTo = 0 } = views.retention.get(RETENTION) ?? {};
  if (hold !== undefined) return E.left(refusal('archive-held'));
  if (sealed.from <= upTo) return E.left(refusal('busy', 'these events have been moved to the archive already'));
  return E.right([
    {
      type: 'log.archived',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      data: sealed,
      origin: originOf(by),
    },
  ]);
};
