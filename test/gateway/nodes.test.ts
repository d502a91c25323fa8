import t, { type Test } from 'tap';
import { start } from '../../src/decisions/start.js';
import { limits } from '../../src/limits.js';
import { type Frame, type Key, newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { LOCAL_PEER, operatorOf, type Simulated, type SimWire, simulated } from '../support/simulated.js';

/* What nodes are told to do, and what comes of it. */

const NODE = {
  auth: { token: TOKEN },
  role: 'node',
  scopes: [],
  client: { id: 'node-host', mode: 'node', platform: 'linux' },
  caps: ['system'],
  commands: ['system.which', 'system.run', 'camera.snap', 'system.execApprovals.get'],
};

const nodeOf = (gateway: Simulated, key: Key, claims: object = {}): Promise<SimWire> =>
  gateway.connect(key, { ...NODE, ...claims }, LOCAL_PEER);

const scene = async (t: Test, config: object = {}, claims: object = {}) => {
  const gateway = await simulated(config);
  t.teardown(() => gateway.stop());
  const key = newKey();
  const node = await nodeOf(gateway, key, claims);
  t.equal(node.answer.ok, true);
  const operator = await operatorOf(gateway);
  return { gateway, key, node, operator };
};

let keys = 0;
/** Asks, and does not wait for the answer. */
const ask = (wire: SimWire, nodeId: string, more: object = {}): string => {
  const id = `ask-${++keys}`;
  const params = { nodeId, command: 'system.which', params: { bins: ['sh'] }, idempotencyKey: id, ...more };
  wire.say({ type: 'req', id, method: 'node.invoke', params });
  return id;
};
const answerTo = (wire: SimWire, id: string): Frame => wire.frames.find((frame) => frame.id === id);
const told = (wire: SimWire): readonly Frame[] =>
  wire.frames.filter(({ event }) => event === 'node.invoke.request').map(({ payload }) => payload);
const outcomes = ({ parts }: Simulated) =>
  [...parts.ledger.log.range()].flatMap((event) => (event.type === 'node.invoke-finished' ? [event.data] : []));

t.test('a node is told, answers, and both are on the record', async (t) => {
  const { gateway, key, node, operator } = await scene(t);
  const id = ask(operator, key.id, { timeoutMs: 5000 });
  t.equal(told(node).length, 0, 'not before the log has it');
  await gateway.settle();
  const [request] = told(node);
  t.match(request, {
    nodeId: key.id,
    command: 'system.which',
    paramsJSON: '{"bins":["sh"]}',
    timeoutMs: 5000,
    idempotencyKey: id,
  });
  t.equal(answerTo(operator, id), undefined);
  const payloadJSON = '{"bins":{"sh":"/bin/sh"}}';
  t.match(await node.call('node.invoke.result', { id: request.id, nodeId: key.id, ok: true, payloadJSON }), {
    payload: { ok: true },
  });
  await gateway.settle();
  t.same(answerTo(operator, id).payload, {
    ok: true,
    nodeId: key.id,
    command: 'system.which',
    payload: { bins: { sh: '/bin/sh' } },
    payloadJSON,
  });
  const events = [...gateway.parts.ledger.log.range()].filter(({ type }) => type.startsWith('node.'));
  t.match(events, [
    { type: 'node.invoked', actor: { kind: 'connection', role: 'operator' }, data: { command: 'system.which' } },
    { type: 'node.invoke-finished', cause: events[0]?.seq, data: { outcome: 'done' } },
  ]);
  t.notMatch(JSON.stringify(events), /bins|ask-/, 'what was asked is only known by its digest');
  t.match(await node.call('node.invoke.result', { id: request.id, nodeId: key.id, ok: true }), {
    payload: { ok: true, ignored: true },
  });
});

t.test('whatever happens, one clear outcome', async (t) => {
  const { gateway, key, node, operator } = await scene(t);
  const asked = async (): Promise<{ id: string; request: Frame }> => {
    const id = ask(operator, key.id, { timeoutMs: 300 });
    await gateway.settle();
    return { id, request: told(node).at(-1) };
  };
  const said = async (id: string): Promise<Frame> => {
    await gateway.settle();
    return answerTo(operator, id).error;
  };

  const failed = await asked();
  const error = { code: 'UNAVAILABLE', message: 'no such thing' };
  await node.call('node.invoke.result', { id: failed.request.id, nodeId: key.id, ok: false, error, payloadJSON: null });
  t.match(await said(failed.id), {
    code: 'UNAVAILABLE',
    message: 'UNAVAILABLE: no such thing',
    details: { nodeError: error },
  });

  const drawing = await asked();
  const red = { code: '\u001b[31mRED\n', message: 'no' };
  await node.call('node.invoke.result', { id: drawing.request.id, nodeId: key.id, ok: false, error: red });
  await said(drawing.id);
  t.match([...gateway.parts.ledger.log.query({ terms: ['type:node.invoke-finished'] })].at(-1), {
    data: { code: '[31mRED' },
  });

  const late = await asked();
  await gateway.pass(300);
  t.match(await said(late.id), {
    message: 'TIMEOUT: node invoke timed out',
    details: { nodeError: { code: 'TIMEOUT' } },
  });
  t.match(await node.call('node.invoke.result', { id: late.request.id, nodeId: key.id, ok: true }), {
    payload: { ignored: true },
  });

  const cancelled = await asked();
  const other = await operatorOf(gateway);
  t.match(
    await other.call('node.invoke.cancel', { nodeId: key.id, idempotencyKey: cancelled.id }),
    {
      payload: { cancelled: false },
    },
    'not by somebody else',
  );
  t.match(await operator.call('node.invoke.cancel', { nodeId: key.id, idempotencyKey: cancelled.id }), {
    payload: { cancelled: true },
  });
  t.match(await said(cancelled.id), { message: /^CANCELLED/ });
  t.match(node.frames.at(-1), { event: 'node.invoke.cancel', payload: { id: cancelled.request.id } });

  const left = await asked();
  node.end(1000, '');
  t.match(await said(left.id), { details: { nodeError: { code: 'NOT_CONNECTED' } } });
  t.same(
    outcomes(gateway).map(({ outcome }) => outcome),
    ['failed', 'failed', 'timed-out', 'cancelled', 'node-left'],
  );
  t.equal(gateway.parts.ledger.views.invocations.size(), 0);
});

t.test('asked again under the same key, it is not done again', async (t) => {
  const { gateway, key, node, operator } = await scene(t);
  const first = ask(operator, key.id, { idempotencyKey: 'k' });
  const second = ask(operator, key.id, { idempotencyKey: 'k' });
  const another = ask(operator, key.id, { idempotencyKey: 'k', params: { bins: ['rm'] } });
  await gateway.settle();
  t.equal(told(node).length, 1);
  t.match(answerTo(operator, another).error, { details: { refusal: 'key-reused' } });
  await node.call('node.invoke.result', { id: told(node)[0].id, nodeId: key.id, ok: true, payload: 7 });
  await gateway.settle();
  const later = ask(operator, key.id, { idempotencyKey: 'k' });
  await gateway.settle();
  for (const id of [first, second, later])
    t.match(answerTo(operator, id), { ok: true, payload: { payload: 7, payloadJSON: null } });
  const somebodyElse = await operatorOf(gateway);
  const own = ask(somebodyElse, key.id, { idempotencyKey: 'k' });
  await gateway.settle();
  t.equal(told(node).length, 2, "keys are a caller's own");
  t.equal(answerTo(somebodyElse, own), undefined);
  await gateway.pass(limits.nodes.rememberedMs + 1);
  ask(operator, key.id, { idempotencyKey: 'k' });
  await gateway.settle();
  t.equal(told(node).length, 3, 'and kept for a while');
});

t.test('only what the node offers, and what its platform may do', async (t) => {
  const { gateway, key, node, operator } = await scene(t, {
    nodes: { allowCommands: ['screen.record'], denyCommands: ['system.run'] },
  });
  const refused = async (nodeId: string, command: string): Promise<Frame> => {
    const id = ask(operator, nodeId, { command });
    await gateway.settle();
    return answerTo(operator, id).error;
  };
  t.match(await refused(key.id, 'camera.snap'), {
    code: 'INVALID_REQUEST',
    message: 'node command not allowed: "camera.snap" is not in the allowlist for platform "linux"',
    details: { reason: 'command not allowlisted', command: 'camera.snap' },
  });
  t.match(
    await refused(key.id, 'system.run'),
    { details: { reason: 'command not allowlisted' } },
    'denied by the configuration',
  );
  t.match(await refused(key.id, 'screen.record'), { details: { reason: 'command not declared by node' } });
  t.match(await refused(key.id, 'system.execApprovals.get'), {
    code: 'INVALID_REQUEST',
    message: /exec\.approvals\.node/,
  });
  t.match(await refused('nobody', 'system.which'), {
    message: 'node not connected',
    details: { code: 'NOT_CONNECTED' },
  });
  t.match((await operator.call('node.describe', { nodeId: key.id })).payload.commands, ['system.which']);
  t.equal(told(node).length, 0);
  t.equal(outcomes(gateway).length, 0);
  const reader = await operatorOf(gateway, { scopes: ['operator.read'] });
  t.match(await reader.call('node.invoke', { nodeId: key.id, command: 'system.which', idempotencyKey: 'x' }), {
    ok: false,
  });
});

t.test('a node that declared nothing is told nothing', async (t) => {
  const { gateway, key, operator } = await scene(t, {}, { commands: [] });
  const id = ask(operator, key.id);
  await gateway.settle();
  t.match(answerTo(operator, id).error.details, { reason: 'node did not declare commands' });
});

t.test('a newer connection of a node takes the place of the older', async (t) => {
  const { gateway, key, node, operator } = await scene(t);
  const newer = await nodeOf(gateway, key);
  const id = ask(operator, key.id);
  await gateway.settle();
  t.same([told(node).length, told(newer).length], [0, 1]);
  const [{ id: invocation }] = told(newer) as [Frame];
  t.match(
    await node.call('node.invoke.result', { id: invocation, nodeId: key.id, ok: true }),
    {
      payload: { ignored: true },
    },
    'the older one was not told, and cannot answer',
  );
  node.end(1000, '');
  await gateway.settle();
  t.equal(answerTo(operator, id), undefined, 'and may go');
});

t.test('what fits no rule: one clear error each', async (t) => {
  const { key, node, operator } = await scene(t);
  t.match((await node.call('node.invoke.result', { id: 'x', nodeId: 'other', ok: true })).error, {
    code: 'INVALID_REQUEST',
    message: 'nodeId mismatch',
  });
  t.match((await node.call('node.invoke.result', { id: 'x', nodeId: key.id })).error, {
    message: /invalid node\.invoke\.result params/,
  });
  t.match((await node.call('node.invoke', {})).error, { message: 'unauthorized role: node' });
  t.match((await operator.call('node.event', { event: 'x' })).error, { message: 'unauthorized role: operator' });
  t.match((await operator.call('node.invoke', { nodeId: key.id, command: 'system.which' })).error, {
    message: /invalid node\.invoke params: .*idempotencyKey/,
  });
});

t.test('too many at once', async (t) => {
  const { gateway, key, node, operator } = await scene(t);
  const ids = Array.from({ length: limits.nodes.invocations + 1 }, () => ask(operator, key.id));
  while (told(node).length < limits.nodes.invocations && answerTo(operator, ids.at(0) ?? '') === undefined)
    await gateway.settle();
  t.equal(told(node).length, limits.nodes.invocations);
  t.match(answerTo(operator, ids.at(-1) ?? '').error, {
    retryable: true,
    details: { refusal: 'too-many-invocations' },
  });
});

t.test('what a node says is on the record, and what it says too much is one number', async (t) => {
  const { gateway, key, node } = await scene(t);
  const spoken = limits.nodes.reports + 5;
  for (let n = 0; n < spoken; n++)
    t.match(await node.call('node.event', { event: 'voice.transcript', payloadJSON: '{"text":"a secret"}' }), {
      payload: { ok: true },
    });
  await gateway.pass(limits.nodes.reportsMs);
  const events = [...gateway.parts.ledger.log.range()].filter(({ type }) => type.startsWith('node.report'));
  t.equal(events.length, limits.nodes.reports + 1);
  t.match(events[0], { type: 'node.reported', data: { device: key.id, event: 'voice.transcript', bytes: 19 } });
  t.match(events.at(-1), { type: 'node.reports-summarised', data: { device: key.id, total: 5 } });
  t.notMatch(JSON.stringify(events), /secret/);
});

t.test('what was under way when the gateway died has an outcome at the next start', async (t) => {
  const { gateway, key, operator } = await scene(t);
  ask(operator, key.id);
  await gateway.settle();
  t.equal(gateway.parts.ledger.views.invocations.size(), 1);
  const started = {
    boot: 'next',
    pid: 1,
    version: '1',
    runtime: 'node',
    authMode: 'token',
    listening: [],
    tokenKey: 'k',
  };
  await gateway.parts.ledger.decide({ decide: (views) => start(views, { started }), answer: () => undefined });
  t.match(outcomes(gateway), [{ device: key.id, outcome: 'gateway-ended' }]);
  t.equal(gateway.parts.ledger.views.invocations.size(), 0);
});
