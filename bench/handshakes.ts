import { type Key, newKey } from '../test/support/device.js';
import { admitted } from './client.js';
import { type Figure, inParallel, type Rate, rateOf } from './measure.js';
import { Server } from './server.js';

/** Connects at a time: enough for commits to be shared, few enough that the client is not the limit. */
const AT_ONCE = 64;
const SECONDS = { warm: 3, measured: 5 };

const devices = (count: number): readonly Key[] => Array.from({ length: count }, newKey);

const measure = (server: Server, keys: readonly Key[]): Promise<Rate> =>
  rateOf(server, AT_ONCE, SECONDS, async () => {
    const key = keys[Math.floor(Math.random() * keys.length)] as Key;
    (await admitted(server.port, key)).end();
  });

/** Whole connects of paired devices, with the shared secret and a signature, to a hello-ok; then the socket is dropped. */
export const handshakes = async (repeats: number): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const paired of [1, 1_000, 10_000]) {
    const ours: Rate[] = [];
    const limits: Rate[] = [];
    const keys = devices(paired);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const gateway = await Server.gateway();
      await inParallel(AT_ONCE, keys, async (key) => (await admitted(gateway.port, key)).end());
      ours.push(await measure(gateway, keys));
      await gateway.stop();
      const limit = await Server.limit();
      limits.push(await measure(limit, keys));
      await limit.stop();
    }
    figures.push(
      {
        name: `handshakes, ${paired.toLocaleString('en')} paired`,
        unit: '/s',
        ours: ours.map((rate) => rate.perSecond),
        limit: limits.map((rate) => rate.perSecond),
      },
      {
        name: `  CPU of the server for one of them`,
        unit: 'µs',
        ours: ours.map((rate) => rate.cpuMicros),
        limit: limits.map((rate) => rate.cpuMicros),
      },
    );
  }
  return figures;
};
