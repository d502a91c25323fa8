import t from 'tap';
import { newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { guestOf, LOCAL_PEER, operatorOf, type SimWire, simulated, WITH_SECRET } from '../support/simulated.js';

/* Who hears what, and in what order (protocol.md §9). */

const heard = (wire: SimWire): readonly string[] =>
  wire.frames.filter(({ type }) => type === 'event').map(({ event }) => event);

t.test('pairing events go to those who may decide, and to nobody else', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const admin = await operatorOf(gateway);
  const keeper = await operatorOf(gateway, { scopes: ['operator.pairing'] });
  const reader = await operatorOf(gateway, { scopes: ['operator.read'] });
  const node = await gateway.connect(
    newKey(),
    { role: 'node', scopes: [], client: { id: 'node-host', mode: 'node' }, auth: { token: TOKEN } },
    LOCAL_PEER,
  );
  t.ok(node.hello);
  const stranger = gateway.open();
  await guestOf(gateway, admin);
  for (const wire of [admin, keeper])
    t.ok(['device.pair.requested', 'device.pair.resolved'].every((name) => heard(wire).includes(name)));
  for (const wire of [reader, node]) t.notOk(heard(wire).some((name) => name.startsWith('device.pair')));
  t.same(stranger && heard(stranger), ['connect.challenge'], 'who is not in hears nothing');
});

t.test('each client counts without gaps, whatever others hear', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const admin = await operatorOf(gateway);
  const reader = await operatorOf(gateway, { scopes: ['operator.read'] });
  const old = await operatorOf(gateway, { minProtocol: 3, maxProtocol: 3 });
  for (let i = 0; i < 3; i++) {
    await guestOf(gateway, admin);
    gateway.parts.announcer.tick();
    gateway.parts.announcer.refreshHealth();
    await gateway.pass(1000);
  }
  for (const [name, wire] of Object.entries({ admin, reader, old })) {
    const counted = wire.frames.flatMap(({ seq }) => (seq === undefined ? [] : [seq]));
    t.ok(counted.length > 5, `${name} heard something`);
    t.ok(
      counted.every((seq, i) => i === 0 || seq === counted[i - 1] + 1),
      `${name}: ${counted.join()}`,
    );
  }
});

t.test('an approval by rule is resolved and never requested', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const admin = await operatorOf(gateway);
  await operatorOf(gateway);
  t.ok(heard(admin).includes('device.pair.resolved'));
  t.notOk(heard(admin).includes('device.pair.requested'));
});

t.test('a larger ask is told as the end of the smaller', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const admin = await operatorOf(gateway);
  const key = newKey();
  const old = (await gateway.connect(key, WITH_SECRET)).answer.error.details.requestId;
  const larger = (await gateway.connect(key, { ...WITH_SECRET, scopes: ['operator.write'] })).answer.error.details
    .requestId;
  const told = admin.frames.filter(({ event }) => event?.startsWith('device.pair')).slice(-3);
  t.match(told, [
    { event: 'device.pair.requested', payload: { requestId: old } },
    { event: 'device.pair.resolved', payload: { requestId: old, decision: 'rejected' } },
    { event: 'device.pair.requested', payload: { requestId: larger } },
  ]);
});

t.test('v4 is told of those who come, all of those who leave; what passes through is nobody', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const admin = await operatorOf(gateway);
  const old = await operatorOf(gateway, { minProtocol: 3, maxProtocol: 3 });
  const app = { id: 'openclaw-macos', mode: 'ui', displayName: 'desk' };
  const wire = await operatorOf(gateway, { client: app });
  await gateway.pass(300);
  const presence = (w: SimWire) => w.frames.filter(({ event }) => event === 'presence');
  t.match(
    presence(admin)
      .at(-1)
      ?.payload.presence.map(({ host }: { host: string }) => host)
      .includes('desk'),
    true,
  );
  t.equal(presence(old).length, 0);
  wire.end(1000, '');
  await gateway.pass(300);
  t.match(
    presence(old)
      .at(-1)
      ?.payload.presence.find(({ host }: { host: string }) => host === 'desk'),
    { reason: 'disconnect' },
  );
});

t.test('talk mode is told to those who may read, as it was said', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const writer = await operatorOf(gateway, { scopes: ['operator.write'] });
  const reader = await operatorOf(gateway, { scopes: ['operator.read'] });
  const keeper = await operatorOf(gateway, { scopes: ['operator.pairing'] });
  t.match((await reader.call('talk.mode', { enabled: true })).error, { message: 'missing scope: operator.write' });
  t.match((await writer.call('talk.mode', { enabled: true, phase: 'listening\u0007' })).payload, {
    phase: 'listening',
  });
  t.match((await writer.call('talk.mode', { enabled: false })).payload, { enabled: false, phase: null });
  t.match((await writer.call('talk.mode', { enabled: true, phase: 'x'.repeat(600) })).ok, false);
  for (const wire of [writer, reader])
    t.match(
      wire.frames.filter(({ event }) => event === 'talk.mode').map(({ payload }) => payload),
      [
        { enabled: true, phase: 'listening' },
        { enabled: false, phase: null },
      ],
    );
  t.notOk(heard(keeper).includes('talk.mode'));
});
