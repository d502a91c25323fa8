import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from '../load/clients.js';
import { Histogram } from '../load/histogram.js';
import { added, told } from '../load/tally.js';
import { read } from '../servers/reading.js';
import { paired } from './paired.js';
import { measured, type Scenario, timesOf } from './scenario.js';

const AT_ONCE = 64;
const DEVICES = 1_000;
/** Until timers of the handshake are gone and garbage has been collected. */
const SETTLE_SECONDS = 15;
const TICK_SECONDS = 30;

/** They come, and then they are silent. */
export const idle: Scenario = {
  says: 'connections that are let in and then silent: memory of each, and ticks that reach them',
  minutes: 2,
  servers: ['gateway', 'original', 'ws', 'limit'],
  turns: 1,
  sizes: {
    full: { connections: 18_000, devices: DEVICES, seconds: 65, perSecond: 0 },
    quick: { connections: 50, devices: 10, seconds: 1, perSecond: 0 },
    original: { connections: 1_000, devices: 1, seconds: 65, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections, memoryMiB: 500 + connections * 0.03 }),
  targets: [
    { what: 'held', figure: 'bytesEach', most: 4_000 },
    { what: 'held', figure: 'failed', most: 0 },
  ],
  run: async (lab) => {
    const { clients, sizes, start, quick } = lab;
    const server = await start({ paired: sizes.devices });
    try {
      await paired(lab, server, sizes.devices);
      await sleep(quick ? 0 : SETTLE_SECONDS * 1000);
      await server.probe();
      const before = await read(server);
      const opening = await measured(server, () =>
        clients.all('open', (number) => ({
          visitors: { port: server.port, devices: { first: 0, count: sizes.devices } },
          count: clients.share(sizes.connections, number),
          atOnce: AT_ONCE,
        })),
      );
      const times = Histogram.of(...opening.result.map(({ times }) => times));
      const opened = times.total;
      await sleep(quick ? 0 : SETTLE_SECONDS * 1000);
      await clients.all('look', () => ({}));
      const holding = await measured(server, () => sleep(sizes.seconds * 1000));
      const { lost, note, missing } = await heardOf(clients, sizes.seconds);
      const held = opened - lost;
      const tcp = (holding.after.tcp - before.tcp) / 2 / held;
      return [
        {
          what: 'opened',
          figures: {
            ...opening.figures,
            ...timesOf(times),
            done: opened,
            perSecond: opened / (opening.figures.seconds ?? 1),
          },
          note: told(added(opening.result.map(({ failed }) => failed))),
        },
        {
          what: 'held',
          figures: {
            ...holding.figures,
            done: held,
            failed: lost + missing,
            bytesEach: (holding.after.anonymous - before.anonymous) / held,
          },
          note: [note, `kernel: ${Math.max(0, tcp).toFixed(0)} bytes of socket memory each`].join('; '),
        },
      ];
    } finally {
      await clients.all('letGo', () => ({}));
      await server.stop();
    }
  },
};

/** What reached them of the ticks that were due. */
const heardOf = async (
  clients: Clients,
  seconds: number,
): Promise<{ readonly lost: number; readonly missing: number; readonly note: string }> => {
  const seen = await clients.all('look', () => ({}));
  const sum = (of: (one: (typeof seen)[number]) => number): number => seen.reduce((total, one) => total + of(one), 0);
  const open = sum((one) => one.open);
  const lost = sum((one) => Object.values(one.lost).reduce((a, b) => a + b, 0));
  const count = sum((one) => one.heard['tick']?.count ?? 0);
  const due = open * Math.floor(seconds / TICK_SECONDS);
  if (count === 0) return { lost, missing: 0, note: 'no ticks' };
  const ticks = seen.flatMap((one) => one.heard['tick'] ?? []);
  const whole = Math.max(...ticks.map(({ last }) => last)) - Math.min(...ticks.map(({ first }) => first));
  const spread = whole - (Math.round(count / open) - 1) * TICK_SECONDS * 1000;
  const note = `${count.toLocaleString('en')} ticks heard, ${due.toLocaleString('en')} due; each reached all within ${Math.max(0, spread).toFixed(0)} ms of its interval`;
  return { lost, missing: Math.max(0, due - count), note };
};
