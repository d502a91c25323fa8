import { now, paced } from '../clock.js';
import { handshake, type Outcome } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Counted, Tally } from '../tally.js';
import { type Visitors, visitOf } from '../visitors.js';

/* Connects that are let go again. */

export interface Connected {
  readonly done: number;
  readonly failed: Counted;
  readonly times: Counts;
}

class Record {
  private readonly times = new Histogram();
  private readonly failed = new Tally();

  take(outcome: Outcome): void {
    if (!outcome.in) return this.failed.add(outcome.why);
    this.times.add(outcome.ms);
    outcome.wire.drop();
  }

  get result(): Connected {
    return { done: this.times.total, failed: this.failed.toRecord(), times: this.times.toCounts() };
  }
}

/** Each device of a range once. */
export const introduce = async ({
  visitors,
  atOnce,
}: {
  readonly visitors: Visitors;
  readonly atOnce: number;
}): Promise<Connected> => {
  const record = new Record();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < visitors.devices.count) record.take(await handshake(visitOf(visitors, next++)));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return record.result;
};

/** So many at a time, one after another, for so long; devices at random. */
export const storm = async ({
  visitors,
  atOnce,
  seconds,
}: {
  readonly visitors: Visitors;
  readonly atOnce: number;
  readonly seconds: number;
}): Promise<Connected> => {
  const record = new Record();
  const end = now() + seconds * 1000;
  const worker = async (): Promise<void> => {
    while (now() < end) {
      const visit = visitOf(visitors, Math.floor(Math.random() * visitors.devices.count));
      record.take(await handshake(visit));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return record.result;
};

export interface Paced extends Connected {
  /** How late this client itself was at worst: above it nothing is the server's. */
  readonly lateMs: number;
}

/** At a pace. A time begins when the connect was due, so that whoever is made to wait counts. */
export const arrive = async ({
  visitors,
  perSecond,
  seconds,
}: {
  readonly visitors: Visitors;
  readonly perSecond: number;
  readonly seconds: number;
}): Promise<Paced> => {
  const record = new Record();
  const running: Promise<void>[] = [];
  const lag = performance.now() - now();
  const { latestMs } = await paced(perSecond, seconds, (due, n) => {
    running.push(handshake(visitOf(visitors, n), due + lag).then((outcome) => record.take(outcome)));
  });
  await Promise.all(running);
  return { ...record.result, lateMs: latestMs };
};
