import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ADMIN, APPROVALS, PAIRING, READ, WRITE } from '../../src/decisions/scopes.js';
import { methods } from '../../src/gateway/methods/index.js';
import { isOfRole, scopeOf } from '../../src/gateway/methods/required-scopes.js';
import { limits } from '../../src/limits.js';
import { connect, type Frame, newKey } from '../support/device.js';
import { checkResult } from '../support/frames.js';
import { running, TOKEN } from '../support/gateway.js';
import { guestOf, LOCAL_PEER, operatorOf, type SimWire, simulated } from '../support/simulated.js';

/* Every method that is served: what it needs, and the shape of what it answers (protocol.md §8). */

/** Params that fit, and what the answer must hold. */
const SAMPLES: Readonly<Record<string, readonly [params: object, result: object | null]>> = {
  health: [{ probe: true }, { ok: true, channels: {}, agents: [{ agentId: 'main' }], sessions: { count: 0 } }],
  status: [
    {},
    { heartbeat: { defaultAgentId: 'main' }, channelSummary: [], queuedSystemEvents: [], sessions: { count: 0 } },
  ],
  'system-presence': [{}, [{ mode: 'gateway', reason: 'self' }]],
  'system-event': [
    { text: 'Node: desk (10.0.0.9) · app 1.2 · last input 3s ago · mode ui · reason periodic' },
    { ok: true },
  ],
  'last-heartbeat': [{}, null],
  'set-heartbeats': [{ enabled: true }, { ok: true, enabled: true }],
  'talk.mode': [
    { enabled: true, phase: 'listening' },
    { enabled: true, phase: 'listening' },
  ],
  wake: [{ mode: 'now', text: 'hello' }, { ok: true }],
  'logs.tail': [{ limit: 5 }, { lines: [], truncated: false, reset: false }],
  'device.pair.list': [{}, { pending: [] }],
  'node.list': [{}, { nodes: [] }],
  'node.pair.list': [{}, { pending: [], paired: [] }],
  'config.get': [{}, { exists: true, valid: true, raw: null }],
  'config.schema': [{}, { version: '1', uiHints: {} }],
  'channels.status': [{ probe: false }, { channels: {}, channelOrder: [] }],
  'agents.list': [{}, { defaultId: 'main', agents: [{ id: 'main' }] }],
  'agent.identity.get': [{}, { agentId: 'main' }],
  'models.list': [{}, { models: [] }],
  'tools.catalog': [{ includePlugins: true }, { agentId: 'main', profiles: [], groups: [] }],
  'sessions.list': [{ limit: 10 }, { sessions: [], count: 0 }],
  'sessions.usage': [{}, { sessions: [] }],
  'sessions.subscribe': [{}, { subscribed: true }],
  'cron.status': [{}, { enabled: false }],
  'cron.list': [{}, { jobs: [] }],
  'cron.runs': [{}, { entries: [] }],
  'skills.status': [{}, { skills: [] }],
  'usage.cost': [{}, { daily: [] }],
  'voicewake.get': [{}, { triggers: [] }],
  'talk.config': [{}, { config: {} }],
  'tts.status': [{}, { enabled: false }],
  'archive.list': [{}, { hold: null, segments: [] }],
  'exec.approval.list': [{}, []],
  'health.components': [{}, { components: [], intervalMs: 300_000 }],
  'exec.approvals.get': [{}, { exists: false, file: { version: 1, defaults: {}, agents: {} } }],
};

/** Methods that decide about something: they have tests of their own, as have questions to the log (test/forensics). */
const DECIDING = new Set([
  'device.pair.approve',
  'device.pair.reject',
  'device.pair.remove',
  'device.pair.rename',
  'device.token.rotate',
  'device.token.revoke',
  'node.describe',
  'node.rename',
  'node.invoke',
  'node.invoke.cancel',
  'node.invoke.result',
  'node.event',
  'node.canvas.capability.refresh',
  'canvas.link',
  'exec.approval.request',
  'exec.approval.waitDecision',
  'exec.approval.resolve',
  'exec.approval.get',
  'node.pair.approve',
  'node.pair.reject',
  'archive.run',
  'archive.hold',
  'archive.release',
]);

t.test('each method answers in its shape, in both dialects', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  for (const dialect of [3, 4]) {
    const wire = await operatorOf(gateway, { minProtocol: dialect, maxProtocol: dialect });
    for (const [method, [params, result]] of Object.entries(SAMPLES)) {
      const answer = await wire.call(method, params);
      t.match(answer, { ok: true, payload: result }, `${method} in protocol ${dialect}`);
      t.doesNotThrow(() => checkResult(method, answer.payload, dialect), `${method} as published`);
    }
  }
  t.same(
    [...methods.keys()].filter(
      (name) => !(name in SAMPLES) && !DECIDING.has(name) && !/^(?:audit|incident|archive)\./.test(name),
    ),
    [],
    'none was forgotten',
  );
});

t.test('a client is told exactly what is served', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const { hello } = await operatorOf(gateway);
  t.same([...hello.features.methods].sort(), [...methods.keys()].sort());
});

t.test('no method answers a session without its scope, and none tells it whether a method exists', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway);
  const HELD = [[], [READ], [WRITE], [APPROVALS], [PAIRING], ['operator.unknown']] as const;
  const names = [...methods.keys(), 'no.such.method'];
  for (const scopes of HELD) {
    const { wire } = await guestOf(gateway, boss, { scopes });
    const carried = scopes[0] === WRITE ? [WRITE, READ] : scopes;
    for (const name of names) {
      const needed = scopeOf(name);
      if (needed === undefined || (carried as readonly string[]).includes(needed)) continue;
      t.match(
        await wire.call(name, { nonsense: true }),
        {
          ok: false,
          error: {
            code: 'FORBIDDEN',
            message: `missing scope: ${needed}`,
            details: { code: 'MISSING_SCOPE', missingScope: needed },
          },
        },
        `${name} with ${scopes.join()}`,
      );
    }
  }
  t.equal(scopeOf('no.such.method'), ADMIN);
  const old = await operatorOf(gateway, { minProtocol: 3, maxProtocol: 3, scopes: [] });
  t.match((await old.call('status')).error, { code: 'INVALID_REQUEST', message: 'missing scope: operator.read' });
});

t.test('a node may ask for health and nothing that is for operators', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const node = await gateway.connect(newKey(), NODE, LOCAL_PEER);
  t.match(await node.call('health'), { ok: true });
  for (const name of methods.keys()) {
    if (name === 'health' || isOfRole(name, 'node')) continue;
    t.match(await node.call(name), { error: { message: 'unauthorized role: node' } }, name);
    await node.call('health');
  }
});

const NODE = {
  role: 'node',
  scopes: [],
  client: { id: 'node-host', mode: 'node', displayName: 'rack', platform: 'linux' },
  caps: ['system', 'camera'],
  commands: ['system.run', 'camera.snap'],
  auth: { token: TOKEN },
};

t.test('nodes: listed, described, renamed; what they can do is known while they are here', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway);
  const key = newKey();
  const asked = await gateway.connect(key, NODE);
  const { requestId } = asked.answer.error.details;
  t.match((await boss.call('node.pair.list')).payload.pending, [{ requestId, nodeId: key.id, displayName: 'rack' }]);
  t.match(await boss.call('node.pair.approve', { requestId }), {
    ok: true,
    payload: { requestId, node: { nodeId: key.id } },
  });
  t.match((await boss.call('node.list')).payload.nodes, [{ nodeId: key.id, connected: false, caps: [], commands: [] }]);
  const wire = await gateway.connect(key, NODE);
  const here = {
    nodeId: key.id,
    displayName: 'rack',
    connected: true,
    caps: ['camera', 'system'],
    commands: ['system.run'],
    remoteIp: '203.0.113.7',
  };
  t.match((await boss.call('node.list')).payload.nodes, [here]);
  t.match((await boss.call('node.describe', { nodeId: key.id })).payload, here);
  t.match((await boss.call('node.rename', { nodeId: key.id, displayName: 'Rack 4' })).payload, {
    nodeId: key.id,
    displayName: 'Rack 4',
  });
  t.match((await boss.call('node.describe', { nodeId: key.id })).payload, { displayName: 'Rack 4' });
  t.match((await boss.call('node.describe', { nodeId: 'x' })).error, { message: 'unknown nodeId' });
  wire.end(1000, '');
  await gateway.settle();
  t.match((await boss.call('node.list')).payload.nodes, [{ connected: false, displayName: 'Rack 4' }]);
  const again = (await gateway.connect(newKey(), NODE)).answer.error.details.requestId;
  t.match(await boss.call('node.pair.reject', { requestId: again }), { ok: true, payload: { requestId: again } });
});

t.test('a name that somebody gives a device is its own, and is told to others as changed', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway);
  const { key } = await guestOf(gateway, boss);
  t.match((await boss.call('device.pair.rename', { deviceId: key.id, label: 'Ada’s phone\u0007\n' })).payload, {
    deviceId: key.id,
    label: 'Ada’s phone',
  });
  t.ok(boss.frames.some(({ event }) => event === 'device.pair.changed'));
  const [row] = (await boss.call('device.pair.list')).payload.paired.filter(
    ({ deviceId }: Frame) => deviceId === key.id,
  );
  t.match(row, { displayName: 'Ada’s phone', operatorLabel: 'Ada’s phone' });
  t.match((await boss.call('device.pair.rename', { deviceId: key.id, label: 'x'.repeat(65) })).error, {
    message: 'invalid device.pair.rename params: at /label: must NOT have more than 64 characters',
  });
});

t.test('presence says what apps say of themselves, cleaned', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway);
  await boss.call('system-event', {
    text: 'Node: desk (10.0.0.9) · app 1.2 · last input 3s ago · mode ui · reason periodic',
    instanceId: 'I1',
    tags: ['a'],
  });
  const entries = (await boss.call('system-presence')).payload;
  t.match(
    entries.find(({ instanceId }: Frame) => instanceId === 'I1'),
    { host: 'desk', ip: '10.0.0.9', version: '1.2', lastInputSeconds: 3, mode: 'ui', reason: 'periodic', tags: ['a'] },
  );
  t.match((await boss.call('system-event', {})).error, { message: 'text required' });
});

t.test('configuration is told without its secrets, and where it is only to admins', async (t) => {
  const gateway = await simulated({
    auth: { mode: 'token', token: 'a-secret-in-the-file', password: 'another' },
    remote: { token: 'a-third' },
  });
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway);
  const { wire: reader } = await guestOf(gateway, boss);
  for (const wire of [boss, reader]) {
    const text = JSON.stringify((await wire.call('config.get')).payload);
    for (const secret of ['a-secret-in-the-file', 'another', 'a-third']) t.notOk(text.includes(secret));
  }
  const path = async (wire: SimWire) => (await wire.call('config.get')).payload.path;
  t.match(await path(boss), /openclaw\.json$/);
  const other = await simulated({ auth: { mode: 'token', token: 'b', password: 'c' }, remote: { token: 'd' } });
  t.teardown(() => other.stop());
  const hashOf = async (wire: SimWire) => (await wire.call('config.get')).payload.hash;
  t.match(await hashOf(reader), /^[0-9a-f]{64}$/);
  t.equal(await hashOf(reader), await hashOf(await operatorOf(other)), 'nor can a secret be tried against the hash');
  t.equal(await path(reader), '[redacted]');
  t.notOk(JSON.stringify(reader.hello).includes(gateway.parts.settings.paths.state));
});

t.test('a new look at health: once a second, however often it is asked for', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const told = () => operator.frames.filter(({ event }) => event === 'health').length;
  await gateway.pass(limits.wire.probeMs);
  for (let i = 0; i < 50; i++) operator.say({ type: 'req', id: `h${i}`, method: 'health', params: { probe: true } });
  t.equal(told(), 1);
  await gateway.pass(limits.wire.probeMs);
  await operator.call('health', { probe: true });
  t.equal(told(), 2);
});

t.test('logs.tail: the end of the file, then what comes to it', async (t) => {
  const { port, state } = await running(t);
  const { wire } = await connect(port, newKey(), { scopes: [READ], auth: { token: TOKEN } });
  const tail = async (params: object) => (await wire.call('logs.tail', params)).payload;
  const file = join(state, 'gateway.log');
  writeFileSync(file, Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join(''));
  const first = await tail({ limit: 3 });
  t.match(first, { file, lines: ['line 97', 'line 98', 'line 99'], truncated: true, reset: false });
  writeFileSync(file, 'more\nhalf a li', { flag: 'a' });
  t.match(
    await tail({ cursor: first.cursor }),
    { lines: ['more'], truncated: false, reset: false },
    'whole lines only',
  );
  writeFileSync(file, 'new\n');
  t.match(await tail({ cursor: first.cursor }), { lines: ['new'], reset: true });
  t.match(await tail({ maxBytes: 2 }), { lines: [], truncated: true });
  t.match((await wire.call('logs.tail', { limit: 0 })).error, {
    message: 'invalid logs.tail params: at /limit: must be >= 1',
  });
});
