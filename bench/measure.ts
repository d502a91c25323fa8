import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from './servers/server.js';

/** One thing that was measured: every repeat of it, and the same of the limit, taken in turns in the same run. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly limit?: readonly number[];
  /** What the limit is, if there is one; what else should be known. */
  readonly note?: string;
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** How fast `workers` do something again and again. */
export interface Rate {
  readonly perSecond: number;
  /** CPU time of the server for one of them, in µs. */
  readonly cpuMicros: number;
}

export const rateOf = async (
  server: Server,
  workers: number,
  seconds: { readonly warm: number; readonly measured: number },
  work: (worker: number) => Promise<unknown>,
): Promise<Rate> => {
  let done = 0;
  let over = false;
  const loops = Array.from({ length: workers }, async (_, worker) => {
    while (!over) {
      await work(worker);
      done++;
    }
  });
  const all = Promise.all(loops);
  await Promise.race([sleep(seconds.warm * 1000), all]);
  const from = { done, cpu: server.cpu(), at: performance.now() };
  await Promise.race([sleep(seconds.measured * 1000), all]);
  const count = done - from.done;
  const rate = {
    perSecond: count / ((performance.now() - from.at) / 1000),
    cpuMicros: ((server.cpu() - from.cpu) * 1e6) / count,
  };
  over = true;
  await all;
  return rate;
};

/** So many at a time, until all are done. */
export const inParallel = async <T>(
  workers: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> => {
  const queue = items.values();
  await Promise.all(
    Array.from({ length: workers }, async () => {
      for (const item of queue) await work(item);
    }),
  );
};
