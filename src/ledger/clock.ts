import type { Moment } from '../decisions/decision.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

/** The wall clock was set: from what it should have said to what it says. */
export interface Jump {
  readonly from: number;
  readonly to: number;
}

/**
 * The time of events. `at` follows the wall clock but never runs backwards; `now`, by which deadlines are measured, goes on
 * with the monotonic clock where the wall clock was set back, so that setting a clock extends nobody's grace.
 */
export class LogClock {
  private wall: number;
  private mono: number;
  private now: number;

  constructor(
    private readonly clock: Clock,
    private last: number,
  ) {
    this.wall = clock.now();
    this.mono = clock.monotonic();
    this.now = Math.max(this.wall, last);
  }

  /** A log that ends in the future of this clock was written under another one. */
  get behind(): Jump | undefined {
    return this.last - this.wall > limits.ledger.clockJumpMs ? { from: this.last, to: this.wall } : undefined;
  }

  read(): { readonly moment: Moment; readonly jump?: Jump | undefined } {
    const wall = this.clock.now();
    const mono = this.clock.monotonic();
    const elapsed = Math.max(0, mono - this.mono);
    const expected = Math.round(this.wall + elapsed);
    const jump = Math.abs(wall - expected) > limits.ledger.clockJumpMs ? { from: expected, to: wall } : undefined;
    this.now = Math.max(wall, this.now + elapsed);
    this.wall = wall;
    this.mono = mono;
    this.last = Math.max(wall, this.last);
    return { moment: { at: this.last, now: Math.floor(this.now) }, jump };
  }
}
