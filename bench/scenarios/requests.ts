import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import type { Server } from '../servers/server.js';
import { paired } from './paired.js';
import { type Lab, measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';

const IN_FLIGHT = 4;
const METHODS = ['health', 'status', 'system-presence', 'device.pair.list'];
/** How long the gateway's answers were: the limit says as many bytes without looking anything up. */
const answered = new Map<string, number>();

export const requests: Scenario = {
  says: 'health, status, system-presence and device.pair.list of 1,000 devices, 4 in flight on each of 8 connections',
  minutes: 0.5,
  servers: ['gateway', 'original', 'ws', 'limit'],
  turns: 3,
  sizes: {
    full: { connections: 8, devices: 1_000, seconds: 4, perSecond: 0 },
    quick: { connections: 2, devices: 10, seconds: 0.3, perSecond: 0 },
  },
  needs: () => ({ sockets: 100, memoryMiB: 500 }),
  targets: [
    { what: 'health', figure: 'cpuMicros', most: 8 },
    { what: 'health', figure: 'perSecond', of: { server: 'limit', times: 0.6 } },
    { what: 'device.pair.list', figure: 'perSecond', of: { server: 'limit', times: 0.7 } },
  ],
  run: async (lab) => {
    const server = await lab.start({ paired: lab.sizes.devices });
    try {
      await paired(lab, server, lab.sizes.devices);
      const rows: Row[] = [];
      for (const method of METHODS) {
        if (lab.name === 'limit' && !answered.has(method)) continue;
        await ask(lab, server, method, lab.sizes.seconds / 4);
        rows.push(await ask(lab, server, method, lab.sizes.seconds));
      }
      return rows;
    } finally {
      await server.stop();
    }
  },
};

const ask = async ({ clients, sizes, name }: Lab, server: Server, method: string, seconds: number): Promise<Row> => {
  const said =
    name === 'limit' ? { method: 'say', params: JSON.stringify({ bytes: answered.get(method) }) } : { method };
  const run = await measured(server, () =>
    clients.all('request', (number) => ({
      visitors: { port: server.port, devices: { first: 0, count: sizes.devices } },
      connections: clients.share(sizes.connections, number),
      inFlight: IN_FLIGHT,
      seconds,
      ...said,
    })),
  );
  const times = Histogram.of(...run.result.map(({ times }) => times));
  const failed = added(run.result.map(({ failed }) => failed));
  const bytes = Math.max(...run.result.map((one) => one.bytes));
  if (name === 'gateway') answered.set(method, bytes);
  return {
    what: method,
    figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(failed) },
    note: [`${bytes.toLocaleString('en')} bytes each`, told(failed)].filter(Boolean).join('; '),
  };
};
