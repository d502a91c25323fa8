import { limits } from '../../limits.js';
import type { ClosedBeforeConnect } from '../../logging/logging.js';
import type { Clock } from '../../ports.js';
import { RefusalBudget } from '../refusal-budget.js';
import { RefusalCounts } from '../refusal-counts.js';
import type { RefusalRecord } from '../refusal-record.js';
import type { Link } from './link.js';
import type { FromWorker } from './messages.js';

/**
 * Refusals on their way to the log, where they have their budgets. A flood of them is counted here, so that it does not reach the writer; what
 * would be told one by one in spite of it there, goes there.
 */
export class RefusalRelay {
  private told = 0;
  private readonly budget = new RefusalBudget();
  private counts: RefusalCounts | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly link: Link<FromWorker>,
  ) {
    clock.every(limits.refusals.windowMs, () => this.turn());
  }

  record(refusal: RefusalRecord, closed: ClosedBeforeConnect): void {
    if (++this.told <= limits.workers.refusals || this.budget.has(refusal))
      return this.link.say({ is: 'refused', refusal, closed });
    this.counts ??= new RefusalCounts(this.clock.now());
    this.counts.count(refusal);
  }

  /** The end of a window: what was counted is told. */
  turn(): void {
    this.told = 0;
    this.budget.renew();
    const counted = this.counts?.counted();
    this.counts = undefined;
    if (counted !== undefined) this.link.say({ is: 'counted', counted });
  }
}
