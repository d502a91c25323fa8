import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

/**
 * Work that comes in crowds, some of it in each turn of the loop: what fits is done at once, the rest waits in order while sockets, timers and the
 * log have their turn. It may take four times as long as all the rest did, so that it is not starved by a slow disk, within bounds.
 */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private scheduled = false;
  private spent = 0;
  private share: number = limits.turns.workMs;
  /** When this turn began (ms, monotonic). */
  private begun: number;

  constructor(private readonly clock: Clock) {
    this.begun = clock.monotonic();
  }

  take(work: () => void): void {
    if (this.waiting.length > 0 || this.spent >= this.share) this.waiting.push(work);
    else this.do(work);
    this.schedule();
  }

  private do(work: () => void): void {
    const begun = this.clock.monotonic();
    work();
    this.spent += this.clock.monotonic() - begun;
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    if (this.waiting.length === 0) this.begun = this.clock.monotonic();
    setImmediate(() => {
      this.scheduled = false;
      this.turn();
      if (this.waiting.length > 0) this.schedule();
    });
  }

  private turn(): void {
    const now = this.clock.monotonic();
    const { workMs, longestMs } = limits.turns;
    this.share = Math.min(longestMs, Math.max(workMs, 4 * (now - this.begun - this.spent)));
    this.begun = now;
    this.spent = 0;
    let done = 0;
    for (; done < this.waiting.length && this.spent < this.share; done++) this.do(this.waiting[done] ?? none);
    this.waiting.splice(0, done);
  }
}

const none = (): void => {};
