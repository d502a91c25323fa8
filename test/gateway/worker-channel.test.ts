import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import type { Parts } from '../../src/gateway/parts.js';
import type { Session } from '../../src/gateway/session.js';
import { Link } from '../../src/gateway/workers/link.js';
import type { Begin, FromWorker } from '../../src/gateway/workers/messages.js';
import { RemoteCore, type RemoteCoreOptions } from '../../src/gateway/workers/remote-core.js';
import { type Overseer, RemoteWorker } from '../../src/gateway/workers/remote-worker.js';
import { limits } from '../../src/limits.js';
import { forkedBy } from '../support/forks.js';

/* What the other process does not take is bounded. */

const MiB = 2 ** 20;
const frame = 'x'.repeat(MiB);
const most = limits.workers.channelBytes / MiB;

t.test('a worker that does not take what it is told is given up, one that is only slow is not', async (t) => {
  let takes = true;
  let killed = 0;
  const send = (_: unknown, __: unknown, ___: unknown, taken: () => void): boolean => {
    if (takes) setImmediate(taken);
    return false;
  };
  const child = Object.assign(new EventEmitter(), { connected: true, send, kill: () => killed++ });
  forkedBy(t, () => child as never);
  const worker = new RemoteWorker(1, {} as Parts, {} as Overseer, { is: 'begin' } as Begin);
  const tell = async (): Promise<void> => {
    worker.say({ is: 'publish', topic: 'all', frame });
    await turn();
  };
  for (let i = 0; i < 2 * most; i++) await tell();
  t.equal(killed, 0);
  takes = false;
  for (let i = 0; i < most - 1; i++) await tell();
  t.equal(killed, 0);
  await tell();
  await tell();
  t.ok(killed > 0);
});

t.test('what a worker cannot hand on is refused as what can be tried again', async (t) => {
  const said: FromWorker[] = [];
  const untaken: (() => void)[] = [];
  const link = new Link<FromWorker>((batch, taken) => {
    said.push(...batch);
    untaken.push(taken);
    return false;
  });
  const core = new RemoteCore({ link } as RemoteCoreOptions);
  const session = { connection: 'somebody', dialect: 4 } as Session;
  const answers: string[] = [];
  const ask = async (id: string): Promise<void> => {
    core.request({ type: 'req', id, method: 'system-event', params: { text: frame } }, session, (answer) =>
      answers.push(answer),
    );
    await turn();
  };
  for (let i = 0; i < most; i++) await ask(`handed-on-${i}`);
  t.equal(said.length, most);
  t.same(answers, []);
  await ask('refused');
  t.match(JSON.parse(answers[0] ?? ''), {
    id: 'refused',
    ok: false,
    error: { code: 'UNAVAILABLE', retryable: true, retryAfterMs: limits.wire.retryAfterMs },
  });
  t.equal(said.length, most);
  for (const taken of untaken.splice(0)) taken();
  await ask('handed-on-at-last');
  t.equal(said.length, most + 1);
  t.equal(answers.length, 1);
});
