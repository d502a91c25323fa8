import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import type { Server } from '../servers/server.js';
import { type Lab, measured, type Row, ratesOf, type Scenario, timesOf } from './scenario.js';

const AT_ONCE = 16;
/** Numbers of devices that nobody has seen. */
export const STRANGERS = 1_000_000;

/** Strangers ask; the ids of their requests. */
export const asked = async (
  { clients }: Pick<Lab, 'clients'>,
  server: Server,
  first: number,
  count: number,
): Promise<{ readonly row: Row; readonly requests: readonly string[] }> => {
  const run = await measured(server, () =>
    clients.all('ask', (number) => ({
      visitors: { port: server.port, devices: clients.range(first, count, number), remote: true },
      atOnce: AT_ONCE,
    })),
  );
  const times = Histogram.of(...run.result.map(({ times }) => times));
  const failed = added(run.result.map(({ failed }) => failed));
  return {
    requests: run.result.flatMap(({ requests }) => requests),
    row: {
      what: 'asked',
      figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(failed) },
      note: told(failed),
    },
  };
};

export const pairingFlood: Scenario = {
  says: 'strangers with the shared secret ask to be let in, each once',
  minutes: 0.2,
  servers: ['gateway', 'original'],
  turns: 3,
  sizes: {
    full: { connections: 4_000, devices: 0, seconds: 0, perSecond: 0 },
    quick: { connections: 20, devices: 0, seconds: 0, perSecond: 0 },
    original: { connections: 400, devices: 0, seconds: 0, perSecond: 0 },
  },
  needs: () => ({ sockets: 100, memoryMiB: 500 }),
  targets: [
    { what: 'asked', figure: 'perSecond', least: 900 },
    { what: 'asked', figure: 'perSecond', of: { server: 'original', times: 5 } },
    { what: 'asked', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const server = await lab.start();
    try {
      return [(await asked(lab, server, STRANGERS, lab.sizes.connections)).row];
    } finally {
      await server.stop();
    }
  },
};
