import { type Counted, now, Tally } from '../clock.js';
import { handshake } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Visitors, visitOf } from '../visitors.js';
import { Caller } from './request.js';

/** They come, ask one thing, and go as one should, for so long. */
export const churn = async ({
  visitors,
  atOnce,
  seconds,
  method,
}: {
  readonly visitors: Visitors;
  readonly atOnce: number;
  readonly seconds: number;
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
  const worker = async (): Promise<void> => {
    while (now() < end) {
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
