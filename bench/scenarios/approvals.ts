import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import type { Server } from '../servers/server.js';
import { asked, STRANGERS } from './pairing.js';
import { type Lab, measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';

const BY = [1, 50];

/** The limit appends 300 bytes for each, and flushes before it answers. */
export const approvals: Scenario = {
  says: 'device.pair.approve by one operator and by 50: each is on the disk before its answer, and every operator hears of every one',
  minutes: 0.4,
  servers: ['gateway', 'original', 'limit'],
  turns: 3,
  sizes: {
    full: { connections: 2_000, devices: 0, seconds: 0, perSecond: 0 },
    quick: { connections: 20, devices: 0, seconds: 0, perSecond: 0 },
    original: { connections: 200, devices: 0, seconds: 0, perSecond: 0 },
  },
  needs: () => ({ sockets: 200, memoryMiB: 500 }),
  targets: [
    { what: 'by 1', figure: 'perSecond', of: { server: 'original', times: 5 } },
    { what: 'by 1', figure: 'perSecond', of: { server: 'limit', times: 0.4 } },
    { what: 'by 1', figure: 'cpuMicros', most: 700 },
    { what: 'by 50', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const server = await lab.start();
    try {
      const rows: Row[] = [];
      for (const [n, operators] of BY.entries()) rows.push(await approve(lab, server, n, operators));
      return rows;
    } finally {
      await server.stop();
    }
  },
};

const approve = async (lab: Lab, server: Server, n: number, operators: number): Promise<Row> => {
  const { clients, sizes, name } = lab;
  const count = sizes.connections;
  const calls: readonly (readonly [string, string])[] =
    name === 'limit'
      ? Array.from({ length: count }, () => ['append', '{}'] as const)
      : (await asked(lab, server, STRANGERS + n * count, count)).requests.map(
          (requestId) => ['device.pair.approve', JSON.stringify({ requestId })] as const,
        );
  const busy = Math.min(operators, clients.count);
  const run = await measured(server, () =>
    clients.all('work', (number) => ({
      visitors: { port: server.port, devices: { first: number, count: 1 } },
      workers: clients.share(operators, number),
      calls: number < busy ? calls.filter((_, i) => i % busy === number) : [],
    })),
  );
  const times = Histogram.of(...run.result.map(({ times }) => times));
  const failed = added(run.result.map(({ failed }) => failed));
  return {
    what: `by ${operators}`,
    figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(failed) },
    note: told(failed),
  };
};
