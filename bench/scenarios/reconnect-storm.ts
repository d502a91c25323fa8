import { now } from '../load/clock.js';
import { Histogram } from '../load/histogram.js';
import { added, told, totalOf } from '../load/tally.js';
import type { Opened } from '../load/tasks/hold.js';
import type { Server } from '../servers/server.js';
import { paired } from './paired.js';
import { type Lab, measured, type Scenario, timesOf } from './scenario.js';

const AT_ONCE = 64;
/** A crowd comes back within this, and as long after a refusal, by chance. */
const PAUSE_MS = 1000;
const TIMEOUT_MS = 120_000;

/** The server is started again, and everybody who was connected comes back at once. */
export const reconnectStorm: Scenario = {
  says: 'everybody comes back after a restart of the server: time to the last of them, each from its first attempt',
  minutes: 1,
  servers: ['gateway', 'original', 'ws', 'limit'],
  turns: 1,
  sizes: {
    full: { connections: 18_000, devices: 1_000, seconds: 0, perSecond: 0 },
    quick: { connections: 50, devices: 10, seconds: 0, perSecond: 0 },
    original: { connections: 500, devices: 1, seconds: 0, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections, memoryMiB: 500 + connections * 0.03 }),
  targets: [
    { what: 'all back', figure: 'failed', most: 0 },
    { what: 'all back', figure: 'seconds', of: { server: 'limit', times: 2 } },
    { what: 'all back', figure: 'seconds', most: 15 },
  ],
  run: async (lab) => {
    const { clients, sizes, start } = lab;
    let server = await start({ paired: sizes.devices });
    try {
      await paired(lab, server, sizes.devices);
      await come(lab, server, AT_ONCE, 0);
      server = await server.restart();
      await clients.all('leftOver', () => ({ count: 0, timeoutMs: TIMEOUT_MS }));
      const ready = now();
      const { result, figures, before, after } = await measured(server, () =>
        come(lab, server, Number.POSITIVE_INFINITY, PAUSE_MS),
      );
      const times = Histogram.of(...result.map(({ times }) => times));
      const seconds = (Math.max(...result.map(({ at }) => at)) - ready) / 1000;
      return [
        {
          what: 'all back',
          figures: {
            ...figures,
            ...timesOf(times),
            seconds,
            done: times.total,
            failed: sizes.connections - times.total,
            perSecond: times.total / seconds,
            cpuMicros: ((after.cpu - before.cpu) * 1e6) / times.total,
          },
          note: retried(result),
        },
      ];
    } finally {
      await clients.all('letGo', () => ({}));
      await server.stop();
    }
  },
};

const come = ({ clients, sizes }: Lab, server: Server, atOnce: number, pauseMs: number): Promise<readonly Opened[]> =>
  clients.all('open', (number) => ({
    visitors: { port: server.port, devices: { first: 0, count: sizes.devices } },
    count: clients.share(sizes.connections, number),
    atOnce,
    pauseMs,
    timeoutMs: TIMEOUT_MS,
  }));

const retried = (result: readonly Opened[]): string => {
  const failed = added(result.map((one) => one.failed));
  return totalOf(failed) === 0 ? 'nobody had to try again' : `tried again after: ${told(failed)}`;
};
