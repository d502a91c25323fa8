import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { watchSlowConsumers } from '../../src/gateway/slow-consumers.js';
import { limits } from '../../src/limits.js';
import { connect, newKey } from '../support/device.js';
import { running, TOKEN } from '../support/gateway.js';
import { guestOf, operatorOf, simulated, WITH_SECRET } from '../support/simulated.js';

/* A client that does not read: what it may miss it misses, what it may not ends it, and nobody else notices. */

t.test('ticks and pairing events are dropped for it, an answer ends it', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const slow = await operatorOf(gateway);
  slow.full = true;
  gateway.parts.announcer.tick();
  await gateway.connect(newKey(), WITH_SECRET);
  t.equal(slow.closed, undefined);
  t.ok(operator.frames.some(({ event }) => event === 'device.pair.requested'));
  slow.say({ type: 'req', id: 'x', method: 'status' });
  t.same(slow.closed, { code: 1008, reason: 'slow consumer' });
});

t.test('an event that it may not miss ends it', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { wire: slow } = await guestOf(gateway, operator);
  slow.full = true;
  gateway.parts.announcer.refreshHealth();
  t.same(slow.closed, { code: 1008, reason: 'slow consumer' });
  await gateway.settle();
  t.match([...gateway.parts.ledger.log.query({ terms: ['type:connection.closed'] })].at(-1), {
    data: { reason: 'slow consumer' },
  });
  t.equal(operator.closed, undefined);
});

t.test('what waits for all together is bounded, too: those furthest behind go first', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const stop = watchSlowConsumers(gateway.clock, () => gateway.parts.sessions.all());
  t.teardown(stop);
  const { bufferedInAllBytes, bufferedSweepMs } = limits.wire;
  const wires = [];
  for (const share of [0.1, 0.5, 0.2, 0.2]) {
    const wire = await operatorOf(gateway);
    wire.buffered = Math.floor(bufferedInAllBytes * share);
    wires.push(wire);
  }
  await gateway.pass(bufferedSweepMs);
  t.notOk(
    wires.some(({ closed }) => closed),
    'all of it may wait',
  );
  const [first] = wires;
  if (first !== undefined) first.buffered += bufferedInAllBytes * 0.1;
  await gateway.pass(bufferedSweepMs);
  t.same(
    wires.map(({ closed }) => closed !== undefined),
    [false, true, false, false],
  );
  await gateway.settle();
  t.match(
    [...gateway.parts.ledger.log.query({ terms: ['type:connection.closed'] })],
    [{ actor: { kind: 'gateway', rule: 'slow-consumer' } }],
  );
});

t.test('on a real socket: what it does not read is bounded, and it is told why it was let go', async (t) => {
  const { port, state } = await running(t);
  writeFileSync(join(state, 'gateway.log'), `${'x'.repeat(999)}\n`.repeat(1000));
  const { wire } = await connect(port, newKey(), { scopes: ['operator.read'], auth: { token: TOKEN } });
  wire.socket.pause();
  for (let i = 0; i < 80; i++)
    wire.send({ type: 'req', id: `t${i}`, method: 'logs.tail', params: { limit: 5000, maxBytes: 1_000_000 } });
  await new Promise((resolve) => setTimeout(resolve, 500));
  wire.socket.resume();
  const closed = await wire.close();
  t.ok(wire.frames.length < 80, `${wire.frames.length} answers`);
  t.same(closed, { code: 1008, reason: 'slow consumer' });
});
