import { type Fact, subjectOf } from '../../events/index.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { RefusalBudget } from './refusal-budget.js';
import { type Counted, RefusalCounts } from './refusal-counts.js';
import type { RefusalRecord } from './refusal-record.js';

/*
 * A refusal is an event, and anybody can cause refusals: so each source has a budget of them, and all sources together; what is
 * beyond is counted and told in one event a minute. Outside the budget of all is the first of each reason from each source, and
 * what shows a device or a credential that we know or once knew: that has a budget of its own, and is named in the summary.
 */

export interface RefusalsOptions {
  readonly boot: string;
  readonly clock: Clock;
  readonly fingerprintOf: (source: string) => string;
  readonly record: (fact: Fact) => void;
}

export class Refusals {
  private readonly budget = new RefusalBudget();
  private counts: RefusalCounts | undefined;
  private readonly stopWindow: () => void;

  constructor(private readonly options: RefusalsOptions) {
    this.stopWindow = options.clock.every(limits.refusals.windowMs, () => this.turn());
  }

  record(refusal: RefusalRecord): void {
    if (this.budget.has(refusal)) this.tell(refusal);
    else this.count(refusal);
  }

  /** Tells what has been counted; nothing is counted any more. */
  stop(): void {
    this.stopWindow();
    this.turn();
  }

  private tell({ data, cause, origin, source }: RefusalRecord): void {
    this.options.record({
      type: 'connection.refused',
      subject: subjectOf.connection(data.connection),
      actor: { kind: 'gateway', rule: data.reason },
      cause,
      data: { ...data, boot: this.options.boot, source: this.options.fingerprintOf(source) },
      origin,
    });
  }

  private count(refusal: RefusalRecord): void {
    this.counts ??= new RefusalCounts(this.options.clock.now());
    this.counts.count(refusal);
  }

  /** Those that were counted elsewhere. */
  add(counted: Counted): void {
    this.counts ??= new RefusalCounts(counted.from);
    this.counts.add(counted);
  }

  /** The end of a window: budgets are full again, and what was counted is told. */
  private turn(): void {
    this.budget.renew();
    const counted = this.counts?.counted();
    this.counts = undefined;
    if (counted === undefined) return;
    this.options.record({
      type: 'connection.refusals-summarised',
      subject: subjectOf.gateway,
      actor: { kind: 'gateway', rule: 'refusal-budget' },
      data: {
        boot: this.options.boot,
        from: counted.from,
        to: this.options.clock.now(),
        total: counted.total,
        reasons: counted.reasons,
        sources: counted.sources.map(this.options.fingerprintOf),
        devices: [...counted.devices],
        credentials: [...counted.credentials],
      },
    });
  }
}
