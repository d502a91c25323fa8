import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import { paired } from './paired.js';
import { type Lab, measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';

const WARM_SECONDS = 2;

/** Whole connects, as many as a crowd can make, of more and more paired devices. */
export const connectStorm: Scenario = {
  says: 'connects a second, with 1, 1,000 and 10,000 paired devices',
  minutes: 0.7,
  servers: ['gateway', 'original', 'ws', 'limit'],
  turns: 3,
  sizes: {
    full: { connections: 64, devices: 10_000, seconds: 5, perSecond: 0 },
    quick: { connections: 8, devices: 20, seconds: 0.5, perSecond: 0 },
    original: { connections: 16, devices: 10_000, seconds: 5, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections, memoryMiB: 500 }),
  targets: [
    { what: '1 paired', figure: 'cpuMicros', of: { server: 'limit', times: 1.5 } },
    { what: '10,000 paired', figure: 'cpuMicros', of: { server: 'limit', times: 1.5 } },
    { what: '1 paired', figure: 'perSecond', of: { server: 'limit', times: 0.65 } },
    { what: '10,000 paired', figure: 'perSecond', of: { server: 'limit', times: 0.65 } },
  ],
  run: async (lab) => {
    const steps = [...new Set([1, 1_000, lab.sizes.devices].filter((devices) => devices <= lab.sizes.devices))];
    const rows: Row[] = [];
    for (const devices of steps) rows.push(await storm(lab, devices));
    return rows;
  },
};

const storm = async (lab: Lab, devices: number): Promise<Row> => {
  const { clients, sizes, start, quick } = lab;
  const server = await start({ paired: devices });
  try {
    await paired(lab, server, devices);
    const each = (seconds: number) =>
      clients.all('storm', (number) => ({
        visitors: { port: server.port, devices: { first: 0, count: devices } },
        atOnce: clients.share(sizes.connections, number),
        seconds,
      }));
    await each(quick ? 0.2 : WARM_SECONDS);
    const run = await measured(server, () => each(sizes.seconds));
    const times = Histogram.of(...run.result.map(({ times }) => times));
    const failed = added(run.result.map(({ failed }) => failed));
    return {
      what: `${devices.toLocaleString('en')} paired`,
      figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(failed) },
      note: told(failed),
    };
  } finally {
    await server.stop();
  }
};
