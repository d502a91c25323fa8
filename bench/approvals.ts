import { newKey } from '../test/support/device.js';
import { admitted, type Client, handshake, REMOTE } from './client.js';
import { type Figure, inParallel } from './measure.js';
import { Server } from './server.js';

/** A stranger asks; the id of its request. */
const asked = async (port: number): Promise<string> => {
  const { client, answer } = await handshake(port, newKey(), { host: REMOTE });
  client.end();
  const requestId = /"requestId":"([^"]+)"/.exec(answer)?.[1];
  if (requestId === undefined) throw new Error(`not asked: ${answer}`);
  return requestId;
};

const perSecond = async (
  server: Server,
  approvers: number,
  calls: readonly (readonly [method: string, params: string])[],
): Promise<number> => {
  const clients = await Promise.all(
    Array.from({ length: approvers }, () => admitted(server.port, newKey(), { scopes: ['operator.admin'] })),
  );
  const idle = [...clients];
  const begun = performance.now();
  await inParallel(approvers, calls, async ([method, params]) => {
    const client = idle.pop() as Client;
    const answer = await client.call(method, params);
    if (!answer.includes('"ok":true')) throw new Error(`not approved: ${answer}`);
    idle.push(client);
  });
  const rate = calls.length / ((performance.now() - begun) / 1000);
  for (const client of clients) client.end();
  return rate;
};

/** Approvals, each on the disk before its answer, beside a server that only appends 300 bytes and flushes. */
export const approvals = async (repeats: number): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  for (const [approvers, count] of [
    [1, 1_000],
    [50, 3_000],
  ] as const) {
    const ours: number[] = [];
    const limits: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const gateway = await Server.gateway();
      const requests: string[] = [];
      await inParallel(64, Array.from({ length: count }), async () => void requests.push(await asked(gateway.port)));
      ours.push(
        await perSecond(
          gateway,
          approvers,
          requests.map((requestId) => ['device.pair.approve', JSON.stringify({ requestId })]),
        ),
      );
      await gateway.stop();
      const limit = await Server.limit();
      limits.push(
        await perSecond(
          limit,
          approvers,
          requests.map(() => ['append', '{}']),
        ),
      );
      await limit.stop();
    }
    figures.push({ name: `approvals, ${approvers} at a time`, unit: '/s', ours, limit: limits });
  }
  return figures;
};
