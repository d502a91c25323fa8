import { setTimeout as sleep } from 'node:timers/promises';
import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import { type LoggedEvent, readEvents } from '../servers/reading.js';
import type { Server } from '../servers/server.js';
import { paired } from './paired.js';
import { type Lab, measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';

const SLOW = 0;
const HONEST = 1;
/** Each asks for lists of about half a MiB, until more than 50 MiB wait for it. */
const LISTS = 150;
const LOOK_MS = 100;
/** Until who was put out is on the record. */
const SETTLE_MS = 2000;
const MIB = 2 ** 20;

export const slowConsumers: Scenario = {
  says: 'clients that ask for lists and read nothing, beside 16 honest ones that ask for health',
  minutes: 0.7,
  servers: ['gateway', 'original'],
  turns: 1,
  sizes: {
    full: { connections: 16, devices: 1_000, seconds: 15, perSecond: 0 },
    quick: { connections: 2, devices: 10, seconds: 0.5, perSecond: 0 },
    original: { connections: 4, devices: 1_000, seconds: 15, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections + 20, memoryMiB: 500 + connections * 110 }),
  processes: 2,
  targets: [
    { what: 'honest, beside slow ones', figure: 'failed', most: 0 },
    { what: 'honest, beside slow ones', figure: 'p99', most: 250 },
    { what: 'slow', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const server = await lab.start({ paired: lab.sizes.devices });
    try {
      await paired(lab, server, lab.sizes.devices);
      const alone = await honest(lab, server, 'honest, alone');
      const peak = watchPeak(server);
      const [count, beside] = await Promise.all([
        lab.clients.one(SLOW, 'stall', {
          visitors: { port: server.port, devices: { first: 0, count: lab.sizes.devices } },
          count: lab.sizes.connections,
          method: 'device.pair.list',
          times: LISTS,
        }),
        honest(lab, server, 'honest, beside slow ones'),
      ]);
      return [alone, beside, await evicted(lab, server, count, peak())];
    } finally {
      await lab.clients.one(SLOW, 'endStalled', {});
      await server.stop();
    }
  },
};

const honest = async ({ clients, sizes }: Lab, server: Server, what: string): Promise<Row> => {
  const run = await measured(server, () =>
    clients.one(HONEST, 'request', {
      visitors: { port: server.port, devices: { first: 0, count: sizes.devices } },
      connections: 16,
      inFlight: 1,
      seconds: sizes.seconds,
      method: 'health',
    }),
  );
  const times = Histogram.of(run.result.times);
  const failed = added([run.result.failed]);
  return {
    what,
    figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(failed) },
    note: told(failed),
  };
};

/** The most memory it has had since, in MiB. */
const watchPeak = (server: Server): (() => number) => {
  let most = 0;
  const timer = setInterval(() => {
    most = Math.max(most, server.anonymousBytes());
  }, LOOK_MS);
  return () => {
    clearInterval(timer);
    return most / MIB;
  };
};

const putOut = (events: Iterable<LoggedEvent>): number => {
  let count = 0;
  for (const { type, actor } of events) if (type === 'connection.closed' && actor.rule === 'slow-consumer') count++;
  return count;
};

/** Who was put out for it, as the log has it: who does not read does not learn of it. */
const evicted = async ({ name, quick }: Lab, server: Server, count: number, anonymousMiB: number): Promise<Row> => {
  if (name !== 'gateway' || quick) {
    const note = quick ? 'too little to be put out for' : 'whether they were put out cannot be told';
    return { what: 'slow', figures: { done: count, anonymousMiB }, note };
  }
  await sleep(SETTLE_MS);
  const out = await readEvents(server, 0, putOut);
  return {
    what: 'slow',
    figures: { done: out, failed: count - out, anonymousMiB },
    note: `${out} of ${count} were put out; RssAnon is the peak`,
  };
};
