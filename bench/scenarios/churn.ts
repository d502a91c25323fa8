import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import { type LoggedEvent, readEvents } from '../servers/reading.js';
import type { Server } from '../servers/server.js';
import { paired } from './paired.js';
import { measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';
import { slopeOf } from './slope.js';

const AT_ONCE = 16;
const SAMPLES = 60;
const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;

/** They come and go for as long as is asked for. What grows, and whether the log has each of them, once. */
export const churn: Scenario = {
  says: 'connect, ask for health, close, again and again: what grows, and whether the log accounts for each (--minutes M)',
  minutes: 3,
  servers: ['gateway', 'original', 'ws'],
  turns: 1,
  sizes: {
    full: { connections: AT_ONCE, devices: 1_000, seconds: 120, perSecond: 200 },
    quick: { connections: 2, devices: 10, seconds: 1, perSecond: 200 },
    original: { connections: AT_ONCE, devices: 100, seconds: 60, perSecond: 20 },
  },
  needs: () => ({ sockets: 200, memoryMiB: 1000 }),
  targets: [
    { what: 'come and go', figure: 'failed', most: 0 },
    { what: 'in the log', figure: 'failed', most: 0 },
    { what: 'descriptors', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const { clients, sizes, start, name } = lab;
    const server = await start({ paired: sizes.devices });
    try {
      await paired(lab, server, sizes.devices);
      await sleep(1000);
      const samples = sampling(server, sizes.seconds);
      const run = await measured(server, () =>
        clients.all('churn', (number) => ({
          visitors: { port: server.port, devices: { first: 0, count: sizes.devices } },
          atOnce: clients.share(sizes.connections, number),
          seconds: sizes.seconds,
          perSecond: clients.share(sizes.perSecond, number),
          method: 'health',
        })),
      );
      const grown = samples();
      const times = Histogram.of(...run.result.map(({ times }) => times));
      const wrong = added(run.result.flatMap(({ refused, failed }) => [refused, failed]));
      const rows: Row[] = [
        {
          what: 'come and go',
          figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(wrong) },
          note: told(wrong),
        },
        memoryRow(grown),
        await descriptorRow(server, run.before.descriptors),
      ];
      if (name === 'gateway') {
        const refused = totalOf(added(run.result.map(({ refused }) => refused)));
        rows.push(await accountRow(server, run.before.log?.events ?? 0, times.total, refused));
      }
      return rows;
    } finally {
      await server.stop();
    }
  },
};

type Sample = readonly [at: number, value: number];

const sampling = (server: Server, seconds: number): (() => readonly Sample[]) => {
  const samples: Sample[] = [];
  const timer = setInterval(
    () => samples.push([performance.now(), server.anonymousBytes()]),
    (seconds * 1000) / SAMPLES,
  );
  return () => {
    clearInterval(timer);
    return samples;
  };
};

/** Of the second half: the first fills caches. */
const memoryRow = (samples: readonly Sample[]): Row => {
  const half = samples.slice(samples.length >> 1);
  const slope = (slopeOf(half) * HOUR_MS) / MIB;
  const values = half.map(([, value]) => value / MIB);
  return {
    what: 'memory',
    figures: { anonymousMiB: values.at(-1) },
    note: `RssAnon ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} MiB in the second half, by least squares ${slope.toFixed(0)} MiB an hour`,
  };
};

const descriptorRow = async (server: Server, before: number): Promise<Row> => {
  await sleep(1000);
  const after = server.descriptors();
  return {
    what: 'descriptors',
    figures: { done: after, failed: Math.max(0, after - before) },
    note: `${before} before, ${after} after`,
  };
};

/** By type; of refusals that were only counted, as many as they were. */
const countsOf = (events: Iterable<LoggedEvent>): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { type, data } of events) {
    const count = type === 'connection.refusals-summarised' ? Number(data['total']) : 1;
    counts.set(type, (counts.get(type) ?? 0) + count);
  }
  return counts;
};

/** What clients saw, and what the log has of it. */
const accountRow = async (server: Server, after: number, accepted: number, refused: number): Promise<Row> => {
  await sleep(500);
  const counts = await readEvents(server, after, countsOf);
  const count = (type: string): number => counts.get(`connection.${type}`) ?? 0;
  const turnedAway = count('refused') + count('refusals-summarised');
  const wrong =
    Math.abs(count('accepted') - accepted) +
    Math.abs(turnedAway - refused) +
    Math.abs(count('closed') - count('accepted'));
  return {
    what: 'in the log',
    figures: { done: count('accepted'), failed: wrong },
    note: `clients: ${accepted} let in, ${refused} refused; log: ${count('accepted')} accepted, ${turnedAway} refused, ${count('closed')} closed`,
  };
};
