import type { Clock } from '../../src/ports.js';

interface Timer {
  due: number;
  readonly every?: number;
  readonly call: () => void;
}

const LOOK_MS = 2;

/** Real time that can be made to jump ahead: a gateway on real sockets lives through its timeouts without anybody waiting. */
export class SkipClock implements Clock {
  private skipped = 0;
  private readonly timers = new Set<Timer>();
  private readonly ticker = setInterval(() => this.run(), LOOK_MS).unref();

  now(): number {
    return Math.floor(Date.now() + this.skipped);
  }

  monotonic(): number {
    return performance.now() + this.skipped;
  }

  after(ms: number, call: () => void): () => void {
    return this.add({ due: this.monotonic() + ms, call });
  }

  every(ms: number, call: () => void): () => void {
    return this.add({ due: this.monotonic() + ms, every: ms, call });
  }

  /** Time passes at once; what was due on the way is called, each once. */
  skip(ms: number): void {
    this.skipped += ms;
    this.run();
  }

  stop(): void {
    clearInterval(this.ticker);
  }

  private add(timer: Timer): () => void {
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  private run(): void {
    const now = this.monotonic();
    for (const timer of [...this.timers].filter(({ due }) => due <= now)) {
      if (timer.every === undefined) this.timers.delete(timer);
      else timer.due = now + timer.every;
      timer.call();
    }
  }
}
