import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../clock.js';
import { handshake } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Counted, Tally } from '../tally.js';
import { type Visitors, visitOf } from '../visitors.js';
import { Caller } from './request.js';

/** They come, ask one thing, and go as one should, for so long and no faster than at a pace. */
export const churn = async ({
  visitors,
  atOnce,
  seconds,
  perSecond,
  method,
}: {
  readonly visitors: Visitors;
  readonly atOnce: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly method: string;
}): Promise<{
  readonly accepted: number;
  readonly refused: Counted;
  readonly failed: Counted;
  readonly times: Counts;
}> => {
  const times = new Histogram();
  const refused = new Tally();
  const failed = new Tally();
  const end = now() + seconds * 1000;
  const everyMs = (1000 * atOnce) / perSecond;
  const worker = async (): Promise<void> => {
    for (let next = now(); next < end; next = Math.max(now(), next + everyMs)) {
      await sleep(Math.max(0, next - now()));
      const outcome = await handshake(visitOf(visitors, Math.floor(Math.random() * visitors.devices.count)));
      if (!outcome.in) {
        refused.add(outcome.why);
        continue;
      }
      times.add(outcome.ms);
      const { wire } = outcome;
      const { ok, why = '' } = await new Caller(wire).call(method);
      if (!ok) failed.add(why);
      wire.close();
      await new Promise((resolve) => wire.socket.once('close', resolve));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { accepted: times.total, refused: refused.toRecord(), failed: failed.toRecord(), times: times.toCounts() };
};
