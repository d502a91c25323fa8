import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { attempt } from '../../src/attempt.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { type Ended, gatewayProcess, openclaw, type RunningProcess, stateFolder } from '../support/process.js';
import { node22, realOpenclaw } from './peers.js';

/*
 * The command line of the real OpenClaw 2026.3.2, unchanged, against this gateway: `npm run conformance`. It has a home of its
 * own, so it is a machine that the gateway does not know.
 */

const NODE = node22();
const REAL = realOpenclaw();

const started = (home: string, port: number, args: readonly string[]) =>
  spawn(NODE, [REAL, ...args], {
    env: {
      PATH: `${dirname(NODE)}:${process.env['PATH']}`,
      HOME: home,
      NO_COLOR: '1',
      OPENCLAW_GATEWAY_PORT: String(port),
      OPENCLAW_GATEWAY_TOKEN: TOKEN,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    /* It starts itself again as a child: they are ended together. */
    detached: true,
  });

const realCli =
  (home: string, port: number) =>
  (...args: readonly string[]): Promise<Ended> => {
    const child = started(home, port, args);
    const said = { out: '', err: '' };
    child.stdout.on('data', (data) => {
      said.out += data;
    });
    child.stderr.on('data', (data) => {
      said.err += data;
    });
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
  };

const world = async (t: Test, ...flags: readonly string[]) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, flags, { OPENCLAW_GATEWAY_TOKEN: TOKEN });
  return { state, gateway, real: realCli(stateFolder(t), gateway.port) };
};

/** Somebody from outside asks; its request id. */
const stranger = async (gateway: RunningProcess, claims = {}) => {
  const key = newKey();
  const { wire, answer } = await connect(gateway.port, key, { auth: { token: TOKEN }, ...claims }, REMOTE);
  wire.end();
  return { key, requestId: answer.error?.details.requestId as string };
};

const typesOf = (state: string): readonly string[] => logOf(state).map((event) => event.type);

t.test('list, approve, rotate, revoke, remove, reject, clear', async (t) => {
  const { state, gateway, real } = await world(t);
  const { key, requestId } = await stranger(gateway);
  const list = async () => JSON.parse((await real('devices', 'list', '--json')).out);
  t.match(await list(), {
    pending: [{ requestId, deviceId: key.id, role: 'operator' }],
    paired: [{ clientId: 'cli' }],
  });
  t.match((await real('devices', 'list')).out, /Pending \(1\)[\s\S]*Paired \(1\)/);
  t.match(JSON.parse((await real('devices', 'approve', requestId, '--json')).out), {
    requestId,
    device: { deviceId: key.id },
  });
  t.match(await real('devices', 'approve', requestId), { code: 1, err: /unknown requestId/ });
  t.equal((await list()).paired.length, 2);

  const { wire, answer } = await connect(gateway.port, key, { auth: { token: TOKEN } }, REMOTE);
  t.match(answer.payload.auth, { deviceToken: String });
  const target = ['--device', key.id, '--role', 'operator', '--json'];
  const rotated = JSON.parse((await real('devices', 'rotate', ...target)).out);
  t.match(rotated, { deviceId: key.id, role: 'operator', scopes: ['operator.read'], rotatedAtMs: Number });
  t.match(await wire.close(), { code: 4001 }, 'a rotated token is presumed leaked');
  t.match(JSON.parse((await real('devices', 'revoke', ...target)).out), { deviceId: key.id, revokedAtMs: Number });
  t.match(JSON.parse((await real('devices', 'remove', key.id, '--json')).out), { deviceId: key.id });

  const second = await stranger(gateway);
  t.match(JSON.parse((await real('devices', 'reject', second.requestId, '--json')).out), {
    requestId: second.requestId,
    deviceId: second.key.id,
  });
  const third = await stranger(gateway);
  t.match((await real('devices', 'approve', '--latest')).out, third.key.id);
  await stranger(gateway);
  t.equal((await real('devices', 'clear', '--yes', '--pending')).code, 0);
  t.match(await list(), { pending: [] });

  const story = typesOf(state).filter((type) => !type.startsWith('connection.') && !type.startsWith('gateway.'));
  for (const type of ['pairing.approved', 'token.rotated', 'token.revoked', 'device.removed', 'pairing.rejected'])
    t.ok(story.includes(type), type);
});

t.test('health, status, gateway call health, gateway status, gateway probe', async (t) => {
  const { real } = await world(t);
  t.match(JSON.parse((await real('health', '--json')).out), { ok: true, agents: [{ agentId: 'main' }] });
  t.match(await real('health'), { code: 0, out: /Agents: main \(default\)/ });
  t.match((await real('gateway', 'call', 'health')).out, /Gateway call: health\n\{\n {2}"ok": true/);
  t.match(JSON.parse((await real('gateway', 'call', 'status', '--json')).out), { sessions: { count: 0 } });
  t.match(await real('status'), { code: 0, out: /Gateway +│ local · .* · reachable \d+ms · auth token/ });
  t.match(await real('gateway', 'status'), { out: /RPC probe: ok/ });
  t.match(await real('gateway', 'probe'), { code: 0, out: /Reachable: yes[\s\S]*Connect: ok/ });
});

t.test('turned away, approved by ours, and in', async (t) => {
  const { state, real } = await world(t, '--no-auto-approve');
  t.match(await real('health'), { code: 1, err: /pairing required/ });
  const [pending] = JSON.parse((await openclaw(state, ['devices', 'list', '--json'])).out).pending;
  t.match(await openclaw(state, ['devices', 'approve', pending.requestId]), { code: 0 });
  t.match(await real('health'), { code: 0, out: /Agents: main/ });
});

/** Asks until it is there. */
const until = async <T>(ask: () => Promise<T | undefined>): Promise<T> => {
  for (let tries = 0; tries < 60; tries++) {
    const found = await ask();
    if (found !== undefined) return found;
    await sleep(500);
  }
  throw new Error('it did not come in time');
};

t.test('its node host is turned away, approved, comes again, and does what it is told', async (t) => {
  const { state, gateway } = await world(t, '--no-auto-approve');
  const ours = (...args: readonly string[]) => openclaw(state, args);
  const asked = async (...args: readonly string[]) => JSON.parse((await ours(...args, '--json')).out);
  const home = stateFolder(t);
  const runs = (): void => {
    const to = ['--host', '127.0.0.1', '--port', String(gateway.port), '--display-name', 'rack'];
    const node = started(home, gateway.port, ['node', 'run', ...to]);
    node.stdout.resume();
    node.stderr.resume();
    t.teardown(() => attempt(() => process.kill(-(node.pid ?? 0), 'SIGKILL')));
  };
  runs();
  const request = await until(async () => (await asked('nodes', 'pending'))[0]);
  t.match(request, { displayName: 'rack', platform: 'linux' });
  t.match(await ours('nodes', 'approve', request.requestId), { code: 0 });
  runs();
  const here = await until(async () => {
    const [found] = (await asked('nodes', 'status')).nodes;
    return found?.connected === true ? found : undefined;
  });
  t.ok(here.commands.includes('system.which'));
  const invoke = ['nodes', 'invoke', '--node', 'rack', '--command'];
  const told = await asked(...invoke, 'system.which', '--params', '{"bins":["sh"]}');
  t.match(told, { ok: true, payload: { bins: { sh: String } } });
  t.match(await ours(...invoke, 'camera.snap'), { code: 1, err: /not in the allowlist/ });
  const story = typesOf(state);
  for (const type of ['pairing.approved', 'canvas.capability-minted', 'node.invoked', 'node.invoke-finished'])
    t.ok(story.includes(type), type);
});
