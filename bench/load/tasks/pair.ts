import { handshake } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Counted, Tally } from '../tally.js';
import { type Visitors, visitOf } from '../visitors.js';
import { admitted, Caller } from './request.js';

/* Strangers ask to be let in, and operators let them. */

/** Each device of a range asks once. Ids of the requests. */
export const ask = async ({
  visitors,
  atOnce,
}: {
  readonly visitors: Visitors;
  readonly atOnce: number;
}): Promise<{ readonly requests: readonly string[]; readonly failed: Counted; readonly times: Counts }> => {
  const requests: string[] = [];
  const failed = new Tally();
  const times = new Histogram();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < visitors.devices.count) {
      const outcome = await handshake(visitOf(visitors, next++));
      if (outcome.in) {
        outcome.wire.drop();
        failed.add('was let in');
      } else if (outcome.requestId === undefined) failed.add(outcome.why);
      else {
        requests.push(outcome.requestId);
        times.add(outcome.ms);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { requests, failed: failed.toRecord(), times: times.toCounts() };
};

/** Calls, each on the next of so many connections that has nothing else to do. */
export const work = async ({
  visitors,
  workers,
  calls,
}: {
  readonly visitors: Visitors;
  readonly workers: number;
  readonly calls: readonly (readonly [method: string, params: string])[];
}): Promise<{ readonly failed: Counted; readonly times: Counts }> => {
  const failed = new Tally();
  const times = new Histogram();
  const queue = calls.values();
  const worker = async (_: unknown, n: number): Promise<void> => {
    const caller = new Caller(await admitted(visitors, n));
    for (const [method, params] of queue) {
      const begun = performance.now();
      const { ok, why = '' } = await caller.call(method, params);
      if (ok) times.add(performance.now() - begun);
      else failed.add(why);
    }
    caller.leave();
  };
  await Promise.all(Array.from({ length: workers }, worker));
  return { failed: failed.toRecord(), times: times.toCounts() };
};
