import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Event, type Fact, subjectOf } from '../../events/index.js';
import type { OriginOf } from '../../projections/index.js';
import type { Command, Refused } from '../decisions/decision.js';
import { type Refusal, refusal } from '../errors.js';
import type { Entropy } from '../ports.js';
import type { Jump, LogClock } from './clock.js';
import { Draft } from './draft.js';
import { erasedBy } from './erasure.js';
import type { Position } from './position.js';
import { foldVersions } from './rebuild.js';
import { type Stamped, stamp } from './stamp.js';
import type { Store } from './store.js';

/** How a command ended: a refusal of its own kind, a refusal of the ledger, or its answer. */
export type Outcome<A, R = Refusal> = Either<R | Refusal, A>;

/** A command that waits for its batch. */
export interface Queued {
  readonly command: Command<unknown, unknown>;
  readonly settle: (outcome: Outcome<unknown, unknown>) => void;
  /** Events that go from the log with what it records, because they were moved to the archive. */
  readonly moved?: readonly number[] | undefined;
}

/** A command that has been decided and, when this is seen, is on the disk. */
export interface Settled {
  readonly events: readonly Event[];
  readonly outcome: Outcome<unknown, unknown>;
  readonly settle: Queued['settle'];
  readonly moved: readonly number[];
}

/** Decisions that share one transaction and one flush. */
export interface DecidedBatch {
  readonly settled: readonly Settled[];
  readonly stamped: readonly Stamped[];
  readonly draft: Draft;
  readonly position: Position;
  /** Events whose personal data go with it, in rising order. */
  readonly erased: readonly number[];
}

/**
 * Decides a batch of commands one after another on the views as the ones before left them. Nothing is written yet and nothing
 * in memory has changed: what happens here happens only if the commit that follows succeeds. It reads what the last commit left
 * (`Store.exclusively`), which stays so until then because this process is the only writer.
 */
export const decideBatch = (
  queued: readonly Queued[],
  store: Store,
  from: Position,
  clock: LogClock,
  entropy: Entropy,
  onBug: (error: unknown) => void,
): DecidedBatch => {
  const draft = new Draft(store.views);
  const stamped: Stamped[] = [];
  const erased = new Set<number>();
  const { moment, jump } = clock.read();
  const originOf: OriginOf = (seq) => {
    if (erased.has(seq)) return undefined;
    return seq > from.seq ? stamped[seq - from.seq - 1]?.event.origin : store.originOf(seq);
  };
  const append = (facts: readonly Fact[]): readonly Event[] => {
    const events: Stamped[] = [];
    for (const fact of facts) {
      const seq = from.seq + stamped.length + events.length + 1;
      const before = events.length === 0 ? undefined : { first: seq - events.length, previous: seq - 1 };
      const made = stamp(fact, seq, moment.at, before, entropy);
      draft.fold(made.event);
      events.push(made);
    }
    stamped.push(...events);
    return events.map(({ event }) => event);
  };
  const decide = ({ command, settle, moved = [] }: Queued): Settled => {
    const mark = stamped.length;
    try {
      return draft.attempt(() => {
        const decided = command.decide(draft.views, moment, originOf);
        const events = append(E.isRight(decided) ? decided.right : ((decided.left as Refused<unknown>).facts ?? []));
        const outcome = E.isRight(decided) ? E.right(command.answer(events, draft.views, originOf)) : decided;
        for (const seq of erasedBy(events)) erased.add(seq);
        return { events, outcome, settle, moved: E.isRight(decided) ? moved : [] };
      });
    } catch (error) {
      stamped.length = mark;
      onBug(error);
      return { events: [], outcome: E.left(refusal('internal')), settle, moved: [] };
    }
  };
  const settled = (jump === undefined ? queued : [recording([clockJumped(jump)]), ...queued]).map(decide);
  const at = stamped.length > 0 ? moment.at : from.at;
  return {
    settled,
    stamped,
    draft,
    position: { seq: from.seq + stamped.length, at, views: foldVersions() },
    erased: [...erased].sort((a, b) => a - b),
  };
};

/** Facts that no rule decides, on their way to the log. */
export const recording = (facts: readonly Fact[]): Queued => ({
  command: { decide: () => E.right(facts), answer: () => undefined },
  settle: () => {},
});

export const clockJumped = ({ from, to }: Jump): Fact => ({
  type: 'gateway.clock-jumped',
  subject: subjectOf.gateway,
  actor: { kind: 'gateway', rule: 'clock' },
  data: { from, to, byMs: to - from },
});
