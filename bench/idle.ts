import { setTimeout as sleep } from 'node:timers/promises';
import { newKey } from '../test/support/device.js';
import { admitted, type Client } from './client.js';
import { type Figure, inParallel } from './measure.js';
import { Server } from './server.js';

const CONNECTIONS = 10_000;
const PAIRED = 1_000;
/** Until timers of the handshake are gone and garbage has been collected. */
const SETTLE_MS = 15_000;

/** Memory of the process per connection that is let in and then silent. */
export const idle = async (): Promise<readonly Figure[]> => {
  const ours: number[] = [];
  const whole: number[] = [];
  const limits: number[] = [];
  for (const [server, figures] of [
    [await Server.gateway(), ours],
    [await Server.limit(), limits],
  ] as const) {
    const keys = Array.from({ length: PAIRED }, newKey);
    await inParallel(64, keys, async (key) => (await admitted(server.port, key)).end());
    await sleep(SETTLE_MS);
    const before = server.anonymousBytes();
    const clients: Client[] = [];
    const each = Array.from({ length: CONNECTIONS }, (_, i) => keys[i % PAIRED] ?? newKey());
    await inParallel(64, each, async (key) => void clients.push(await admitted(server.port, key)));
    await sleep(SETTLE_MS);
    const after = server.anonymousBytes();
    figures.push((after - before) / CONNECTIONS);
    if (figures === ours) whole.push(after / 2 ** 20);
    for (const client of clients) client.end();
    await server.stop();
  }
  const held = `${CONNECTIONS.toLocaleString('en')} connections`;
  return [
    { name: `memory (RssAnon) per idle connection, ${held}`, unit: 'bytes', ours, limit: limits },
    { name: `memory (RssAnon) of the process with ${held}`, unit: 'MiB', ours: whole },
  ];
};
