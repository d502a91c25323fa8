import { deviceOf } from '../load/devices.js';
import { added, told } from '../load/tally.js';
import type { Server } from '../servers/server.js';
import { type Lab, measured, type Row, type Scenario } from './scenario.js';

const AT_ONCE = 64;
const TIMEOUT_MS = 60_000;
const ADMIN = 0;
const METHODS = ['device.token.revoke', 'device.token.rotate', 'device.pair.remove'];

/** A credential with a crowd behind it is taken back. Only a gateway that ends sessions can be measured: the original leaves them open. */
export const revocation: Scenario = {
  says: 'a credential is taken back behind which there are 18,000 sockets: time to the last that is closed, by the clients',
  minutes: 1,
  servers: ['gateway', 'limit'],
  turns: 1,
  sizes: {
    full: { connections: 18_000, devices: 1, seconds: 0, perSecond: 0 },
    quick: { connections: 50, devices: 1, seconds: 0, perSecond: 0 },
  },
  needs: ({ connections }) => ({ sockets: connections + 10, memoryMiB: 500 + connections * 0.03 }),
  targets: METHODS.flatMap((what) => [
    { what, figure: 'seconds', most: 1 },
    { what, figure: 'seconds', of: { server: 'limit', times: 1.5 } },
    { what, figure: 'failed', most: 0 },
  ]),
  run: async (lab) => {
    const server = await lab.start();
    try {
      /* Paired before there is a crowd that would be told of it. */
      await call(lab, server, 'health', {});
      const rows: Row[] = [];
      for (const [n, method] of METHODS.entries()) rows.push(await takeBack(lab, server, method, n + 1));
      return rows;
    } finally {
      await server.stop();
    }
  },
};

const call = ({ clients }: Lab, { port }: Server, method: string, params: object) =>
  clients.one(0, 'call', {
    visitors: { port, devices: { first: ADMIN, count: 1 } },
    method,
    params: JSON.stringify(params),
  });

const takeBack = async (lab: Lab, server: Server, method: string, device: number): Promise<Row> => {
  const { clients, sizes } = lab;
  await clients.all('open', (number) => ({
    visitors: { port: server.port, devices: { first: device, count: 1 } },
    count: clients.share(sizes.connections, number),
    atOnce: AT_ONCE,
  }));
  const before = added((await clients.all('look', () => ({}))).map(({ lost }) => lost));
  const { id } = deviceOf(device);
  const { result, figures } = await measured(server, async () => {
    const params = method.startsWith('device.token') ? { deviceId: id, role: 'operator' } : { deviceId: id };
    const called = await call(lab, server, method, params);
    return { called, left: await clients.all('leftOver', () => ({ count: 0, timeoutMs: TIMEOUT_MS })) };
  });
  const after = added((await clients.all('look', () => ({}))).map(({ lost }) => lost));
  const open = result.left.reduce((sum, one) => sum + one.open, 0);
  const seconds = (Math.max(...result.left.map(({ at }) => at)) - result.called.at) / 1000;
  await clients.all('letGo', () => ({}));
  const closed = Object.fromEntries(Object.entries(after).map(([how, count]) => [how, count - (before[how] ?? 0)]));
  return {
    what: method,
    figures: { ...figures, seconds, done: sizes.connections - open, failed: open },
    note: [`answered after ${result.called.ms.toFixed(0)} ms`, result.called.why, `closed with: ${told(closed)}`]
      .filter(Boolean)
      .join('; '),
  };
};
