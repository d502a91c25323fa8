import { limits } from '../../limits.js';
import type { ClosedBeforeConnect } from '../../logging/logging.js';
import type { Clock } from '../../ports.js';
import { RefusalCounts } from '../refusal-counts.js';
import type { RefusalRecord } from '../refusal-record.js';
import type { Link } from './link.js';
import type { FromWorker } from './messages.js';

/** Refusals on their way to the log, where they have their budgets. A flood of them is counted here, so that it does not reach the writer. */
export class RefusalRelay {
  private told = 0;
  private counts: RefusalCounts | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly link: Link<FromWorker>,
  ) {
    clock.every(limits.refusals.windowMs, () => this.turn());
  }

  record(refusal: RefusalRecord, closed: ClosedBeforeConnect): void {
    if (++this.told <= limits.workers.refusals) return this.link.say({ is: 'refused', refusal, closed });
    this.counts ??= new RefusalCounts(this.clock.now());
    this.counts.count(refusal);
  }

  /** The end of a window: what was counted is told. */
  turn(): void {
    this.told = 0;
    const counted = this.counts?.counted();
    this.counts = undefined;
    if (counted !== undefined) this.link.say({ is: 'counted', counted });
  }
}
