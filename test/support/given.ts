import * as E from 'fp-ts/lib/Either.js';
import type { Event, EventType, Fact } from '../../events/index.js';
import type { OriginOf, Views } from '../../projections/index.js';
import type { Decided, Moment, Refused } from '../../src/decisions/decision.js';
import { Draft, emptyViews } from '../../src/ledger/draft.js';
import { erasedBy } from '../../src/ledger/erasure.js';
import { stamp } from '../../src/ledger/stamp.js';
import { testEntropy } from './world.js';

/** Where every history begins. */
export const START = 1_800_000_000_000;

/**
 * A history in memory: what the ledger does with facts, without a disk. `when` decides on it and appends what comes of it, so
 * that histories are told as the commands that made them.
 */
export class History {
  readonly events: Event[] = [];
  now = START;
  private readonly draft = new Draft(emptyViews);
  private readonly entropy = testEntropy('history');

  get views(): Views {
    return this.draft.views;
  }

  readonly originOf: OriginOf = (seq) =>
    erasedBy(this.events).includes(seq) ? undefined : this.events[seq - 1]?.origin;

  get moment(): Moment {
    return { at: this.now, now: this.now };
  }

  happened(...facts: readonly Fact[]): this {
    let before: { first: number; previous: number } | undefined;
    for (const fact of facts) {
      const { event } = stamp(fact, this.events.length + 1, this.now, before, this.entropy);
      this.draft.fold(event);
      this.events.push(event);
      before = { first: before?.first ?? event.seq, previous: event.seq };
    }
    return this;
  }

  pass(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Decides, and records what follows: the facts of a yes, or those that a refusal leaves behind. */
  when<R>(decide: (views: Views, moment: Moment, originOf: OriginOf) => Decided<R>): Result<R> {
    const from = this.events.length;
    const decided = decide(this.views, this.moment, this.originOf);
    this.happened(...(E.isRight(decided) ? decided.right : ((decided.left as Refused<R>).facts ?? [])));
    return { refusal: E.isLeft(decided) ? decided.left : undefined, events: this.events.slice(from) };
  }

  ofType(type: EventType): readonly Event[] {
    return this.events.filter((event) => event.type === type);
  }
}

export interface Result<R> {
  readonly refusal: Refused<R> | undefined;
  readonly events: readonly Event[];
}

export const types = (events: readonly Event[]): readonly string[] => events.map(({ type }) => type);
