import t, { type Test } from 'tap';
import { connect, type Frame, newKey, REMOTE, type Wire } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';

/* What people type about nodes, about commands that need a yes, and about health. */

const NODE = {
  auth: { token: TOKEN },
  role: 'node',
  scopes: [],
  client: { id: 'node-host', mode: 'node', platform: 'linux', displayName: 'rack' },
  commands: ['system.which', 'system.run', 'camera.snap'],
};

const world = async (t: Test) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], { OPENCLAW_GATEWAY_TOKEN: TOKEN });
  return { state, gateway, run: (...args: readonly string[]) => openclaw(state, args) };
};

/** Answers everything it is told with what it was told. */
const echo = async (wire: Wire, nodeId: string): Promise<void> => {
  for (;;) {
    const { payload } = await wire.next(({ event }) => event === 'node.invoke.request', 60_000);
    const payloadJSON = JSON.stringify({ told: JSON.parse(payload.paramsJSON ?? 'null') });
    wire.send({
      type: 'req',
      id: payload.id,
      method: 'node.invoke.result',
      params: { id: payload.id, nodeId, ok: true, payloadJSON },
    });
  }
};

t.test('a node asks, is approved, described, told and renamed', async (t) => {
  const { run, gateway } = await world(t);
  t.match(await run('nodes', 'status'), { code: 0, out: 'Known: 0 · Paired: 0 · Connected: 0\n' });
  t.match(await run('nodes', 'pending'), { code: 0, out: 'No pending pairing requests.\n' });
  const key = newKey();
  const asked = await connect(gateway.port, key, NODE, REMOTE);
  asked.wire.end();
  const { requestId } = asked.answer.error.details;
  t.match(await run('nodes', 'pending'), { out: new RegExp(`│ ${requestId} +│ rack +│ linux`) });
  t.match(await run('nodes', 'approve', requestId), { code: 0, out: `Approved ${key.id} (${requestId})\n` });
  t.match(await run('nodes', 'list'), { out: /^Pending: 0 · Paired: 1\n/ });
  t.match(await run('nodes', 'invoke', '--node', 'rack', '--command', 'system.which'), {
    code: 1,
    err: /node not connected\n.*openclaw nodes list/,
  });

  const { wire, answer } = await connect(gateway.port, key, NODE, REMOTE);
  t.ok(answer.ok);
  echo(wire, key.id).catch(() => {});
  t.match(await run('nodes', 'status', '--connected'), { out: new RegExp(`│ rack +│ ${key.id} +│ .*connected`) });
  const described = await run('nodes', 'describe', '--node', key.id.slice(0, 6));
  t.match(described, { code: 0, out: /Status +connected[\s\S]*It may be told:\n {2}system.run\n {2}system.which\n$/ });
  t.match(await run('nodes', 'invoke', '--node', 'RACK', '--command', 'system.which', '--params', '{"bins":["sh"]}'), {
    code: 0,
    out: '{\n  "told": {\n    "bins": [\n      "sh"\n    ]\n  }\n}\n',
  });
  t.match(await run('nodes', 'invoke', '--node', 'rack', '--command', 'camera.snap'), {
    code: 1,
    err: /"camera.snap" is not in the allowlist for platform "linux"\n.*allowCommands/,
  });
  t.match(await run('nodes', 'invoke', '--node', 'shelf', '--command', 'x'), {
    code: 1,
    err: /^unknown node: shelf \(known: rack\)/,
  });
  t.match(await run('nodes', 'invoke', '--node', 'rack', '--command', 'x', '--params', 'bins'), {
    code: 2,
    err: /--params: must be JSON/,
  });
  t.match(await run('nodes', 'rename', '--node', 'rack', '--name', 'shelf'), { out: `Renamed ${key.id} to shelf\n` });
  t.match(await run('events', 'list', '--type', 'node.invoked'), { out: /is told system.which, by connection/ });
  wire.end();
});

t.test('a run is asked for, shown so that it cannot be mistaken, and decided', async (t) => {
  const { run, gateway } = await world(t);
  t.match(await run('approvals', 'list'), { code: 0, out: 'Nothing waits for a decision.\n' });
  const { wire } = await connect(gateway.port, newKey(), { auth: { token: TOKEN }, scopes: ['operator.approvals'] });
  const ask = (id: string): Promise<Frame> =>
    wire.call('exec.approval.request', { id, command: 'ls \u001b[2Jrm "x"', cwd: '/home' });
  const first = ask('one');
  const list = await run('approvals', 'list');
  t.match(list.out, /^one {2}asked .*\n {2}runs {3}"ls \\u001b\[2Jrm \\"x\\""\n {2}in {5}"\/home"\n/);
  t.match(await run('approvals', 'allow', 'one'), { code: 0, out: 'Allowed one (allow-once)\n' });
  t.match(await first, { payload: { decision: 'allow-once' } });
  t.match(await run('approvals', 'deny', 'one'), { code: 1, err: /^unknown approval id\n.*approvals list/ });
  wire.end();
});

t.test('a link to the canvas opens it', async (t) => {
  const { run, gateway } = await world(t);
  const { code, out, err } = await run('canvas', 'link');
  t.equal(code, 0);
  t.match(
    out,
    new RegExp(`^http://127\\.0\\.0\\.1:${gateway.port}/__openclaw__/cap/[\\w-]{24}/__openclaw__/canvas/\\n$`),
  );
  t.match(err, /Whoever has this link may look/);
  t.equal((await fetch(out.trim())).status, 200);
  t.match(await run('canvas', 'link', '--json'), { out: /"expiresAtMs": \d+/ });
});

t.test('health: now, as it was, and when it changed', async (t) => {
  const { run } = await world(t);
  t.match(await run('health'), { code: 0, out: /^Gateway health: OK \(\d+ms, .*\)\n$/ });
  t.match(await run('health', '--at', '2'), { code: 0, out: /^As of .*\nEvery component was well\.\n$/ });
  t.match(await run('health', 'history'), { code: 0, out: /gateway\.started/ });
});
