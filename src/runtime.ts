import { randomFillSync, randomUUID } from 'node:crypto';
import type { Clock, Entropy } from './ports.js';

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, call) => {
    const timer = setTimeout(call, ms).unref();
    return () => clearTimeout(timer);
  },
  every: (ms, call) => {
    const timer = setInterval(call, ms).unref();
    return () => clearInterval(timer);
  },
};

const POOL = 8192;

/** Random bytes are drawn by the pool: a draw of 16 costs as much as one of thousands. */
export const systemEntropy = (): Entropy => {
  let pool = Buffer.alloc(0);
  let used = 0;
  return {
    uuid: () => randomUUID(),
    bytes: (count) => {
      if (used + count > pool.length) {
        pool = randomFillSync(Buffer.allocUnsafe(Math.max(POOL, count)));
        used = 0;
      }
      used += count;
      return pool.subarray(used - count, used);
    },
  };
};
