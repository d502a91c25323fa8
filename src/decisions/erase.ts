import * as E from 'fp-ts/lib/Either.js';
import { type DataOf, rangesOf, subjectOf } from '../../events/index.js';
import { type OriginOf, RETENTION, type Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { actorOf, isAdmin, originOf as originOfDecider, type Principal } from './principal.js';

/** Whose personal data go. An address is personal itself, so which one it was is not said. */
export type Erased =
  | { readonly of: 'device'; readonly device: string }
  | { readonly of: 'connection'; readonly connection: string }
  | { readonly of: 'request'; readonly request: string; readonly device: string }
  | { readonly of: 'address' };

export interface Erase {
  readonly subject: Erased;
  /** Numbers of the events that hold them, in rising order, and no more than one event can name. */
  readonly events: readonly number[];
  /** Capped and stripped; undefined if nothing was left of it. */
  readonly reason: string | undefined;
  readonly by: Principal;
  /** OS user of whoever came through the socket of the host: kept with the erasure, which does not depend on what is erased later. */
  readonly osUser?: string | undefined;
  /** The event that began this erasure, where this goes on with it. */
  readonly first?: number | undefined;
}

/**
 * Personal data go for good, and what remains says what, when, by whom and why. Refused to all but admins, without a reason, and while a
 * hold keeps evidence. What has gone already is passed over.
 */
export const erase = (views: Pick<Views, 'retention'>, command: Erase, originOf: OriginOf): Decided => {
  const { subject, events, reason, by, osUser, first } = command;
  if (!isAdmin(by)) return E.left(refusal('missing-scope', 'missing scope: operator.admin'));
  if (reason === undefined) return E.left(refusal('erasure-unexplained'));
  if (views.retention.get(RETENTION)?.hold !== undefined) return E.left(refusal('erasure-held'));
  const left = events.filter((seq) => originOf(seq) !== undefined);
  if (left.length === 0) return E.right([]);
  const data: DataOf<'log.erased'> = { ...subject, events: left.length, numbers: rangesOf(left), reason };
  return E.right([
    {
      type: 'log.erased',
      subject: about(subject),
      actor: actorOf(by),
      cause: first,
      data,
      origin: originOfDecider(by) ?? { osUser },
    },
  ]);
};

const about = (subject: Erased): string => {
  switch (subject.of) {
    case 'device':
    case 'request':
      return subjectOf.device(subject.device);
    case 'connection':
      return subjectOf.connection(subject.connection);
    case 'address':
      return subjectOf.gateway;
  }
};
