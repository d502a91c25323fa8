import type { Either } from 'fp-ts/lib/Either.js';
import type { Event, Fact } from '../../events/index.js';
import type { OriginOf, Views } from '../../projections/index.js';
import type { Refusal } from '../errors.js';

/** When a decision is taken. Both come from the ledger, so that a decision reads no clock. */
export interface Moment {
  /** Time of the events it makes: ms since the epoch, never earlier than the event before. */
  readonly at: number;
  /** What deadlines are measured by: it goes on while a clock that was set back makes `at` stand still. */
  readonly now: number;
}

/** A refusal can have consequences of its own; they are on the record before the refusal is told. */
export type Refused<R = Refusal> = R & { readonly facts?: readonly Fact[] };

export type Decided<R = Refusal> = Either<Refused<R>, readonly Fact[]>;

/**
 * A verb on its way to the ledger: how it is decided, and how its answer is made from what was recorded. Both may look up who it is about,
 * also in what was decided just before.
 */
export interface Command<A, R = Refusal> {
  readonly decide: (views: Views, moment: Moment, originOf: OriginOf) => Decided<R>;
  readonly answer: (events: readonly Event[], views: Views, originOf: OriginOf) => A;
}
