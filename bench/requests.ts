import { newKey } from '../test/support/device.js';
import { admitted, type Client } from './client.js';
import { type Figure, inParallel, rateOf } from './measure.js';
import { Server } from './server.js';

const CONNECTIONS = 8;
const IN_FLIGHT = 4;
const PAIRED = 1_000;
const SECONDS = { warm: 1, measured: 4 };

const connections = (server: Server): Promise<readonly Client[]> =>
  Promise.all(
    Array.from({ length: CONNECTIONS }, () => admitted(server.port, newKey(), { scopes: ['operator.admin'] })),
  );

const callsPerSecond = async (server: Server, method: string, params?: string): Promise<number> => {
  const clients = await connections(server);
  const { perSecond } = await rateOf(server, CONNECTIONS * IN_FLIGHT, SECONDS, (worker) =>
    (clients[worker % CONNECTIONS] as Client).call(method, params),
  );
  for (const client of clients) client.end();
  return perSecond;
};

/** Reads of two sizes, beside a server that says as many bytes without looking anything up. */
export const requests = async (repeats: number): Promise<readonly Figure[]> => {
  const gateway = await Server.gateway();
  const limit = await Server.limit();
  const keys = Array.from({ length: PAIRED }, newKey);
  await inParallel(64, keys, async (key) => (await admitted(gateway.port, key)).end());
  const figures: Figure[] = [];
  for (const [name, method] of [
    ['health', 'health'],
    [`device.pair.list, ${PAIRED.toLocaleString('en')} paired`, 'device.pair.list'],
  ] as const) {
    const [client] = await connections(gateway);
    const bytes = (await (client as Client).call(method)).length;
    const ours: number[] = [];
    const limits: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      ours.push(await callsPerSecond(gateway, method));
      limits.push(await callsPerSecond(limit, 'say', `{"bytes":${bytes}}`));
    }
    figures.push({ name, unit: '/s', ours, limit: limits, note: `${bytes.toLocaleString('en')} bytes each` });
  }
  await gateway.stop();
  await limit.stop();
  return figures;
};
