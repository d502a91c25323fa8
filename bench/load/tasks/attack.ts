import { connect } from 'node:net';
import { paced } from '../clock.js';
import { handshake, type Visit } from '../handshake.js';
import { type Counted, Tally } from '../tally.js';
import { ownAddress, strangerAddress } from '../visitors.js';
import { frameOf, Wire } from '../wire.js';

/* Handshakes that nobody should make, from addresses that a proxy vouches for. */

const SILENT_MS = 20_000;
/** Our devices are numbered from 0; nobody knows these. */
const STRANGERS = 10_000_000;
const OVERSIZE = 70_000;

type Attack = (visit: Visit) => Promise<string>;

const raw = (visit: Visit, act: (wire: Wire) => void): Promise<string> =>
  new Promise((resolve) => {
    let acted = false;
    const wire = new Wire(visit, {
      text: () => {
        if (!acted) act(wire);
        acted = true;
      },
      closed: (how) => {
        clearTimeout(timer);
        resolve(how);
      },
    });
    const timer = setTimeout(() => wire.drop(), SILENT_MS);
  });

const ATTACKS: Readonly<Record<string, Attack>> = {
  'wrong token': async (visit) => outcomeOf(await handshake({ ...visit, token: 'not-the-token' })),
  'bad signature': async (visit) => outcomeOf(await handshake({ ...visit, spoilSignature: true })),
  garbage: (visit) => raw(visit, (wire) => wire.send('{"type":"req","id":1')),
  oversize: (visit) => raw(visit, (wire) => wire.socket.write(frameOf(1, 'x'.repeat(OVERSIZE)))),
  silent: (visit) => raw(visit, () => {}),
  /** A connection on which the upgrade never ends. */
  'half-open': ({ port, from = '127.0.0.1' }) =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from });
      socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nHost: gateway.example.test\r\nUpgr'));
      socket.on('error', () => {});
      socket.on('close', () => resolve('end'));
      setTimeout(() => socket.destroy(), SILENT_MS);
    }),
};

const outcomeOf = (outcome: Awaited<ReturnType<typeof handshake>>): string => {
  if (!outcome.in) return outcome.why;
  outcome.wire.drop();
  return 'LET IN';
};

/** At a pace, of every kind in turn, from so many addresses. What became of them, by kind. */
export const attack = async ({
  port,
  perSecond,
  seconds,
  addresses,
}: {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly addresses: { readonly first: number; readonly count: number };
}): Promise<{ readonly outcomes: Counted; readonly lateMs: number }> => {
  const kinds = Object.entries(ATTACKS);
  const outcomes = new Tally();
  const running: Promise<void>[] = [];
  const { latestMs } = await paced(perSecond, seconds, (_, n) => {
    const [kind, make] = kinds[n % kinds.length] as (typeof kinds)[number];
    const address = addresses.first + (Math.floor(n / kinds.length) % addresses.count);
    const headers = { Host: 'gateway.example.test', 'X-Forwarded-For': strangerAddress(address) };
    const visit = { port, from: ownAddress(n), device: STRANGERS + address, headers };
    running.push(make(visit).then((how) => outcomes.add(`${kind}: ${how}`)));
  });
  await Promise.all(running);
  return { outcomes: outcomes.toRecord(), lateMs: latestMs };
};
