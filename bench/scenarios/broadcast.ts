import { now } from '../load/clock.js';
import { Histogram } from '../load/histogram.js';
import { paired } from './paired.js';
import { type Figures, type Lab, measured, type Row, type Scenario, timesOf } from './scenario.js';

const AT_ONCE = 64;
const EVENTS = 10;
const BURSTS = 20;
const TIMEOUT_MS = 60_000;

/** One operator says ten things in one write, and everybody hears them; again when all have. */
export const broadcast: Scenario = {
  says: 'bursts of ten events to 500 and to 10,000 who listen: deliveries a second, each from when it was asked for',
  minutes: 1,
  servers: ['gateway', 'original', 'ws'],
  turns: 1,
  sizes: {
    full: { connections: 10_000, devices: 100, seconds: 0, perSecond: 0 },
    quick: { connections: 40, devices: 10, seconds: 0, perSecond: 0 },
    original: { connections: 500, devices: 1, seconds: 0, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections + 10, memoryMiB: 500 + connections * 0.03 }),
  targets: [
    { what: '500 listen', figure: 'cpuMicros', most: 1 },
    { what: '10,000 listen', figure: 'cpuMicros', most: 1 },
    { what: '500 listen', figure: 'perSecond', least: 600_000 },
    { what: '10,000 listen', figure: 'perSecond', least: 500_000 },
    { what: '500 listen', figure: 'perSecond', of: { server: 'original', times: 4 } },
    { what: '10,000 listen', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const rows: Row[] = [];
    for (const listeners of new Set([500, lab.sizes.connections]))
      if (listeners <= lab.sizes.connections) rows.push(await tell(lab, listeners));
    return rows;
  },
};

const tell = async (lab: Lab, listeners: number): Promise<Row> => {
  const { clients, sizes, start, quick } = lab;
  const server = await start({ paired: sizes.devices });
  const visitors = { port: server.port, devices: { first: 0, count: sizes.devices } };
  try {
    await paired(lab, server, sizes.devices);
    await clients.all('open', (number) => ({ visitors, count: clients.share(listeners, number), atOnce: AT_ONCE }));
    const times: Histogram[] = [];
    let spent = 0;
    let heard = 0;
    const one = async (): Promise<void> => {
      await clients.all('look', () => ({}));
      const sent = now();
      await clients.one(0, 'burst', { visitors, events: EVENTS });
      const ends = await clients.all('heardAll', (number) => ({
        event: 'talk.mode',
        count: clients.share(listeners, number) * EVENTS,
        timeoutMs: TIMEOUT_MS,
      }));
      spent += Math.max(...ends.map(({ at }) => at)) - sent;
      heard += ends.reduce((sum, { count }) => sum + count, 0);
      times.push(Histogram.of(...(await clients.all('look', () => ({}))).map(({ marked }) => marked)));
    };
    await one();
    [spent, heard] = [0, 0];
    times.length = 0;
    const bursts = quick ? 2 : BURSTS;
    const { figures, before, after } = await measured(server, async () => {
      for (let burst = 0; burst < bursts; burst++) await one();
    });
    const due = bursts * EVENTS * listeners;
    const rates: Figures = {
      ...figures,
      ...timesOf(Histogram.of(...times.map((some) => some.toCounts()))),
      done: heard,
      failed: due - heard,
      seconds: spent / 1000,
      perSecond: heard / (spent / 1000),
      cpuMicros: ((after.cpu - before.cpu) * 1e6) / heard,
    };
    return { what: `${listeners.toLocaleString('en')} listen`, figures: rates };
  } finally {
    await clients.one(0, 'hush', {});
    await clients.all('letGo', () => ({}));
    await server.stop();
  }
};
