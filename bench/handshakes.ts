import { type Key, newKey } from '../test/support/device.js';
import { admitted } from './client.js';
import { type Figure, inParallel, type Rate, rateOf } from './measure.js';
import { Server } from './servers/server.js';

/** Connects at a time: enough for commits to be shared, few enough that the client is not the limit. */
const AT_ONCE = 64;
const WARM = { warm: 0, measured: 3 };
const SLICE = { warm: 0.2, measured: 1 };
const SLICES_PER_REPEAT = 4;

const devices = (count: number): readonly Key[] => Array.from({ length: count }, newKey);

/**
 * Whole connects of paired devices, with the shared secret and a signature, to a hello-ok; then the socket is dropped. Gateway and
 * limit take turns of a second, so that a machine that slows down slows both.
 */
export const handshakes = async (repeats: number): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const paired of [1, 1_000, 10_000]) {
    const keys = devices(paired);
    const connect = (server: Server, seconds: typeof SLICE): Promise<Rate> =>
      rateOf(server, AT_ONCE, seconds, async () => {
        const key = keys[Math.floor(Math.random() * keys.length)] as Key;
        (await admitted(server.port, key)).end();
      });
    const gateway = await Server.gateway();
    const limit = await Server.limit();
    await inParallel(AT_ONCE, keys, async (key) => (await admitted(gateway.port, key)).end());
    for (const server of [gateway, limit]) await connect(server, WARM);
    const ours: Rate[] = [];
    const limits: Rate[] = [];
    for (let slice = 0; slice < repeats * SLICES_PER_REPEAT; slice++) {
      ours.push(await connect(gateway, SLICE));
      limits.push(await connect(limit, SLICE));
    }
    await gateway.stop();
    await limit.stop();
    figures.push(
      {
        name: `handshakes, ${paired.toLocaleString('en')} paired`,
        unit: '/s',
        ours: ours.map((rate) => rate.perSecond),
        limit: limits.map((rate) => rate.perSecond),
      },
      {
        name: 'CPU of the server for one of them',
        unit: 'µs',
        ours: ours.map((rate) => rate.cpuMicros),
        limit: limits.map((rate) => rate.cpuMicros),
      },
    );
  }
  return figures;
};
