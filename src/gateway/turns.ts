import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

/**
 * Work that comes in crowds, some of it in each turn of the loop: what fits is done at once, the rest waits in order while sockets, timers and the
 * log have their turn.
 */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private spent = 0;
  private scheduled = false;

  constructor(private readonly clock: Clock) {}

  take(work: () => void): void {
    if (this.waiting.length > 0 || this.spent >= limits.turns.workMs) this.waiting.push(work);
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
    setImmediate(() => {
      this.scheduled = false;
      this.spent = 0;
      let done = 0;
      for (; done < this.waiting.length && this.spent < limits.turns.workMs; done++)
        this.do(this.waiting[done] ?? none);
      this.waiting.splice(0, done);
      if (this.waiting.length > 0) this.schedule();
    });
  }
}

const none = (): void => {};
