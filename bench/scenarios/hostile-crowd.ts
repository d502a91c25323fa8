import { added, type Counted, told, totalOf } from '../load/tally.js';
import { type LoggedEvent, readEvents } from '../servers/reading.js';
import type { Server } from '../servers/server.js';
import { arriving } from './arriving.js';
import { paired } from './paired.js';
import type { Lab, Row, Scenario } from './scenario.js';

const ADDRESSES = 200;
/** The first of the addresses from which strangers come; those of honest devices are below. */
const FIRST_ADDRESS = 100_000;
const HONEST_PER_SECOND = 100;

/** Everybody comes through a proxy that the server believes, each from an address of its own: as from the network, not as programs of this host. */
export const hostileCrowd: Scenario = {
  says: '50,000 bad handshakes a minute of six kinds from 200 addresses, beside 1,000 honest devices that come 100 a second',
  minutes: 2.5,
  servers: ['gateway', 'original'],
  turns: 1,
  sizes: {
    full: { connections: 0, devices: 1_000, seconds: 60, perSecond: 50_000 / 60 },
    quick: { connections: 0, devices: 10, seconds: 1, perSecond: 30 },
    original: { connections: 0, devices: 100, seconds: 20, perSecond: 100 },
  },
  needs: ({ perSecond }) => ({ sockets: 500 + perSecond * 20, memoryMiB: 1000 }),
  processes: 3,
  targets: [
    { what: 'honest, beside the crowd', figure: 'failed', most: 0 },
    { what: 'honest, beside the crowd', figure: 'p99', most: 250 },
    { what: 'the crowd', figure: 'failed', most: 0 },
    { what: 'refusals in the log', figure: 'logBytes', most: 1e6 },
  ],
  run: async (lab) => {
    const server = await lab.start({ paired: lab.sizes.devices, proxied: true });
    try {
      await paired(lab, server, lab.sizes.devices);
      const alone = await honest(lab, server, 'honest, alone', lab.sizes.seconds / 3);
      const attacking = attack(lab, server);
      const beside = await honest(lab, server, 'honest, beside the crowd', lab.sizes.seconds);
      const outcomes = await attacking;
      const accepted = totalOf(Object.fromEntries(Object.entries(outcomes).filter(([how]) => how.endsWith('LET IN'))));
      const rows: Row[] = [
        alone,
        beside,
        {
          what: 'the crowd',
          figures: { done: totalOf(outcomes), failed: accepted },
          note: `failed: how many of them were let in; ${told(outcomes)}`,
        },
      ];
      if (lab.name === 'gateway') rows.push(await refusalRow(server));
      return rows;
    } finally {
      await server.stop();
    }
  },
};

/** What the crowd made the log grow by. */
const refusalRow = async (server: Server): Promise<Row> => {
  const refusals = await readEvents(server, 0, (events: Iterable<LoggedEvent>) =>
    [...events].filter(({ type }) => type.startsWith('connection.refus')).map((event) => JSON.stringify(event).length),
  );
  const logBytes = refusals.reduce((sum, bytes) => sum + bytes, 0);
  return { what: 'refusals in the log', figures: { logEvents: refusals.length, logBytes } };
};

const honest = (lab: Lab, server: Server, what: string, seconds: number): Promise<Row> => {
  const perSecond = Math.min(HONEST_PER_SECOND, lab.sizes.perSecond);
  return arriving(lab, server, what, { perSecond, seconds }, { proxied: true });
};

const attack = async ({ clients, sizes }: Lab, server: Server): Promise<Counted> => {
  const attackers = clients.count - 1;
  const told = await Promise.all(
    Array.from({ length: attackers }, (_, n) =>
      clients.one(n + 1, 'attack', {
        port: server.port,
        perSecond: sizes.perSecond / attackers,
        seconds: sizes.seconds,
        addresses: { first: FIRST_ADDRESS + (n * ADDRESSES) / attackers, count: ADDRESSES / attackers },
      }),
    ),
  );
  return added(told.map(({ outcomes }) => outcomes));
};
