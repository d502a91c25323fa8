import t, { type Test } from 'tap';
import { limits } from '../../src/limits.js';
import { type Frame, newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { LOCAL_PEER, operatorOf, type Simulated, type SimWire, simulated } from '../support/simulated.js';

/* Whether a command may be run: asked, decided once, bound to exactly what was asked, and used. */

const ASKER = { scopes: ['operator.approvals', 'operator.write'], client: { displayName: 'runner' } };

const scene = async (t: Test) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const boss = await operatorOf(gateway, { client: { displayName: 'boss' } });
  const asker = await operatorOf(gateway, ASKER);
  return { gateway, boss, asker };
};

let asked = 0;
/** Asks, and does not wait. */
const ask = (wire: SimWire, params: object): string => {
  const id = `ask-${++asked}`;
  wire.say({ type: 'req', id, method: 'exec.approval.request', params });
  return id;
};
const answersTo = (wire: SimWire, id: string): readonly Frame[] => wire.frames.filter((frame) => frame.id === id);
const heard = (wire: SimWire, name: string): readonly Frame[] =>
  wire.frames.filter(({ event }) => event === name).map(({ payload }) => payload);
const factsOf = ({ parts }: Simulated) =>
  [...parts.ledger.log.range()]
    .filter(({ type }) => type.startsWith('exec.'))
    .map(({ type, data }) => ({ type, data }));

t.test('asked, decided by the first who answers, told to whoever asked', async (t) => {
  const { gateway, boss, asker } = await scene(t);
  const id = ask(asker, { id: 'run-1', command: 'ls -la /secret', cwd: '/home', twoPhase: true, timeoutMs: 10_000 });
  await gateway.settle();
  t.match(heard(boss, 'exec.approval.requested'), [
    { id: 'run-1', request: { command: 'ls -la /secret', cwd: '/home', nodeId: null, host: null } },
  ]);
  t.match(answersTo(asker, id), [{ payload: { status: 'accepted', id: 'run-1' } }]);
  t.match((await boss.call('exec.approval.list')).payload, [{ id: 'run-1' }]);
  t.match((await asker.call('exec.approval.request', { id: 'run-1', command: 'rm' })).error, {
    message: 'approval id already pending',
  });
  t.match((await boss.call('exec.approval.resolve', { id: 'run-1', decision: 'maybe' })).error, {
    message: 'invalid decision',
  });
  t.match(await boss.call('exec.approval.resolve', { id: 'run-1', decision: 'allow-once' }), { payload: { ok: true } });
  t.match(answersTo(asker, id).at(-1), { payload: { id: 'run-1', decision: 'allow-once' } });
  t.match(heard(asker, 'exec.approval.resolved'), [{ id: 'run-1', decision: 'allow-once', resolvedBy: 'boss' }]);
  t.match(
    (await asker.call('exec.approval.resolve', { id: 'run-1', decision: 'deny' })).error,
    {
      message: 'unknown approval id',
    },
    'the first answer holds',
  );
  t.match((await asker.call('exec.approval.waitDecision', { id: 'run-1' })).payload, { decision: 'allow-once' });
  t.same((await boss.call('exec.approval.list')).payload, []);
  await gateway.pass(limits.exec.grantMs);
  t.match((await asker.call('exec.approval.waitDecision', { id: 'run-1' })).error, {
    message: 'approval expired or not found',
  });
  t.notMatch(JSON.stringify(factsOf(gateway)), /secret/, 'the log knows it by its digest');
  t.match(factsOf(gateway), [
    { type: 'exec.approval-requested', data: { approval: 'run-1' } },
    { type: 'exec.approval-decided', data: { approval: 'run-1', decision: 'allow-once' } },
  ]);
});

t.test('nobody decides: it expires, and stays expired', async (t) => {
  const { gateway, boss, asker } = await scene(t);
  const id = ask(asker, { id: 'late', command: 'ls', timeoutMs: 600 });
  await gateway.settle();
  t.same(answersTo(asker, id), []);
  await gateway.pass(600);
  await gateway.settle();
  t.match(answersTo(asker, id), [{ payload: { id: 'late', decision: null } }]);
  t.match((await boss.call('exec.approval.resolve', { id: 'late', decision: 'allow-once' })).error, {
    message: 'unknown approval id',
  });
  t.match(factsOf(gateway).at(-1), { type: 'exec.approval-expired', data: { why: 'timed-out' } });
  t.equal(gateway.parts.ledger.views.approvals.size(), 0);
});

const PLAN = { argv: ['/bin/ls', '-la'], cwd: '/home', rawCommand: 'ls -la' };

const withNode = async (t: Test) => {
  const { gateway, boss, asker } = await scene(t);
  const key = newKey();
  const node = await gateway.connect(
    key,
    {
      auth: { token: TOKEN },
      role: 'node',
      scopes: [],
      client: { id: 'node-host', mode: 'node', platform: 'linux' },
      commands: ['system.run'],
    },
    LOCAL_PEER,
  );
  const run = async (wire: SimWire, params: object, nodeId = key.id): Promise<Frame> => {
    const before = node.frames.length;
    const answer = await wire.call('node.invoke', {
      nodeId,
      command: 'system.run',
      params: { command: ['/bin/ls', '-la'], ...params },
      idempotencyKey: `run-${++asked}`,
    });
    return answer?.error ?? JSON.parse(node.frames[before]?.payload.paramsJSON);
  };
  const allowed = async (id: string, decision: string, more: object = {}): Promise<void> => {
    ask(asker, { id, command: 'ls', host: 'node', nodeId: key.id, systemRunPlan: PLAN, ...more });
    await gateway.settle();
    await boss.call('exec.approval.resolve', { id, decision });
  };
  return { gateway, boss, asker, key, run, allowed };
};

t.test('what was approved is run, as it was approved, once', async (t) => {
  const { gateway, asker, run, allowed } = await withNode(t);
  await allowed('once', 'allow-once');
  const said = { runId: 'once', approved: true, command: ['rm', '-rf', '/'], cwd: '/elsewhere', extra: 1 };
  t.same(await run(asker, said), {
    runId: 'once',
    command: PLAN.argv,
    cwd: PLAN.cwd,
    rawCommand: PLAN.rawCommand,
    approved: true,
    approvalDecision: 'allow-once',
  });
  t.match(await run(asker, said), { details: { code: 'UNKNOWN_APPROVAL_ID' } }, 'and not again');
  await allowed('always', 'allow-always');
  for (let n = 0; n < 2; n++)
    t.match(await run(asker, { runId: 'always', approved: true }), { approvalDecision: 'allow-always' });
  t.same(
    factsOf(gateway).map(({ type }) => type.replace('exec.approval-', '')),
    ['requested', 'decided', 'used', 'requested', 'decided', 'used', 'used'],
  );
});

t.test('nobody approves by saying so', async (t) => {
  const { gateway, boss, asker, run, allowed } = await withNode(t);
  t.same(
    await run(asker, { approval: 'x', approvedBy: 'me', cwd: '/home' }),
    {
      command: ['/bin/ls', '-la'],
      cwd: '/home',
    },
    'what is not known does not reach the node',
  );
  const codeOf = async (params: object, wire = asker): Promise<string> => (await run(wire, params)).details?.code;
  t.equal(await codeOf({ approved: true }), 'MISSING_RUN_ID');
  t.equal(await codeOf({ approvalDecision: 'allow-always' }), 'MISSING_RUN_ID');
  t.equal(await codeOf({ approved: true, runId: 'nope' }), 'UNKNOWN_APPROVAL_ID');
  await allowed('denied', 'deny');
  t.equal(await codeOf({ approved: true, runId: 'denied' }), 'UNKNOWN_APPROVAL_ID');
  await allowed('undecided', 'maybe');
  t.equal(await codeOf({ approved: true, runId: 'undecided' }), 'APPROVAL_REQUIRED');
  await allowed('other-env', 'allow-once', { env: { A: '1' } });
  t.equal(await codeOf({ approved: true, runId: 'other-env' }), 'APPROVAL_REQUEST_MISMATCH');
  t.match(await run(asker, { approved: true, runId: 'other-env', env: { A: '1' } }), { approved: true });
  await allowed('mine', 'allow-once');
  t.equal(await codeOf({ approved: true, runId: 'mine' }, boss), 'APPROVAL_DEVICE_MISMATCH');
  await allowed('slow', 'allow-once');
  await gateway.pass(limits.exec.grantMs - 50);
  t.match(await run(asker, { approved: true, runId: 'slow' }), { approved: true });
  await allowed('too-slow', 'allow-once');
  await gateway.pass(limits.exec.grantMs + 1);
  t.match(await codeOf({ approved: true, runId: 'too-slow' }), /UNKNOWN_APPROVAL_ID|APPROVAL_EXPIRED/);
});

t.test('for a node it has to be said which, and exactly what', async (t) => {
  const { asker } = await scene(t);
  const refused = async (params: object): Promise<Frame> =>
    (await asker.call('exec.approval.request', { command: 'ls', host: 'node', ...params })).error;
  t.match(await refused({}), { message: 'nodeId is required for host=node' });
  t.match(await refused({ nodeId: 'n' }), { message: 'systemRunPlan is required for host=node' });
  t.match(await refused({ nodeId: 'n', systemRunPlan: { argv: [] } }), { message: /^systemRunPlan is required/ });
  t.match(await refused({ nodeId: 'n', systemRunPlan: { argv: ['ls'] } }), { message: 'unknown nodeId' });
  t.match(await refused({ id: 'two words' }), { message: /invalid exec\.approval\.request params/ });
});

t.test('what was allowed and not used in time holds no room', async (t) => {
  const { gateway, boss, asker } = await scene(t);
  for (let n = 0; n < limits.exec.pending; n++) {
    ask(asker, { id: `unused-${n}`, command: 'ls', timeoutMs: limits.exec.longestMs });
    await gateway.settle();
    await boss.call('exec.approval.resolve', { id: `unused-${n}`, decision: 'allow-always' });
  }
  const refused = { details: { refusal: 'too-many-approvals' } };
  t.match((await boss.call('exec.approval.request', { command: 'ls' })).error, refused);
  await gateway.pass(limits.exec.grantMs + 1);
  const id = ask(asker, { command: 'ls' });
  await gateway.settle();
  t.same(answersTo(asker, id), [], 'it waits for an answer');
});

t.test('too many that wait', async (t) => {
  const { gateway, boss, asker } = await scene(t);
  for (let n = 0; n < limits.exec.pending; n++) ask(asker, { command: `ls ${n}` });
  while (gateway.parts.ledger.views.approvals.size() < limits.exec.pending) await gateway.settle();
  t.match((await boss.call('exec.approval.request', { command: 'ls' })).error, {
    retryable: true,
    details: { refusal: 'too-many-approvals' },
  });
});
