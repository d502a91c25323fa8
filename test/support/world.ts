import { createHash } from 'node:crypto';
import type { Clock, Entropy } from '../../src/ports.js';

interface Timer {
  at: number;
  readonly every?: number;
  readonly call: () => void;
}

/** A clock that stands until it is told to move, and then calls what was due on the way. */
export class TestClock implements Clock {
  private wall = 1_800_000_000_000;
  private mono = 1000;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.wall;
  }

  monotonic(): number {
    return this.mono;
  }

  after(ms: number, call: () => void): () => void {
    return this.add({ at: this.mono + ms, call });
  }

  every(ms: number, call: () => void): () => void {
    return this.add({ at: this.mono + ms, every: ms, call });
  }

  /** Time passes. */
  pass(ms: number): void {
    const end = this.mono + ms;
    for (;;) {
      const due = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.advance(Math.max(0, due.at - this.mono));
      if (due.every === undefined) this.timers.delete(due);
      else due.at += due.every;
      due.call();
    }
    this.advance(end - this.mono);
  }

  /** Somebody sets the wall clock. */
  set(by: number): void {
    this.wall += by;
  }

  private add(timer: Timer): () => void {
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  private advance(ms: number): void {
    this.mono += ms;
    this.wall += ms;
  }
}

/** Chance that is the same in every run. */
export const testEntropy = (seed = 'seed'): Entropy => {
  let drawn = 0;
  const draw = (): Buffer => createHash('sha256').update(`${seed}:${drawn++}`).digest();
  return {
    uuid: () =>
      draw()
        .toString('hex')
        .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5'),
    bytes: (count) => Buffer.concat(Array.from({ length: Math.ceil(count / 32) }, draw)).subarray(0, count),
  };
};

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
};
