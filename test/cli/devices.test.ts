import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { WebSocketServer } from 'ws';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';

/* What people type (guide: Device Management, Approving a Device). */

const SECRET = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
const UNKNOWN = '0ead53e8-306d-475d-b6a1-6636585a6a6e';

const world = async (t: Test) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], SECRET);
  const run = (...args: readonly string[]) => openclaw(state, args);
  const stranger = async (claims = {}, headers: Readonly<Record<string, string>> = REMOTE) => {
    const key = newKey();
    const { wire, answer } = await connect(gateway.port, key, { auth: { token: TOKEN }, ...claims }, headers);
    wire.end();
    return { key, requestId: answer.error?.details.requestId as string };
  };
  return { state, gateway, run, stranger };
};

t.test('the story of the guide: list, approve by the wrong id, by the right one', async (t) => {
  const { run, stranger } = await world(t);
  t.match(await run('devices', 'list'), { code: 0, out: 'No device pairing entries.\n', err: '' });
  const { key, requestId } = await stranger({ client: { displayName: 'desk' } });

  const list = await run('devices', 'list');
  t.match(list.out, /^Pending \(1\)\n┌─+┬─+┬/);
  t.match(list.out, /│ Request +│ Device +│ Role +│ IP +│ Age +│ Flags +│/);
  t.match(list.out, new RegExp(`│ ${requestId} +│ desk +│ operator +│ +│ just now +│ +│`));
  t.match(list.out, `  ${requestId} asks for operator.read\n`);

  const byDevice = await run('devices', 'approve', key.id);
  t.match(byDevice, {
    code: 1,
    out: '',
    err: `unknown requestId: that is a device id; its pending request is ${requestId}: openclaw devices approve ${requestId}\n`,
  });
  t.match(await run('devices', 'approve', UNKNOWN), { code: 1, err: /^unknown requestId\n.*openclaw devices list/ });
  t.match(await run('devices', 'approve', 'f'.repeat(64)), {
    code: 1,
    err: /that is a device id; it has no pending request/,
  });

  for (const args of [['approve'], ['approve', '--latest']]) {
    const preview = await run('devices', ...args);
    t.match(preview, {
      code: 1,
      out: new RegExp(requestId),
      err: `Nothing was approved. Approve this exact request with: openclaw devices approve ${requestId}\n`,
    });
  }

  t.match(await run('devices', 'approve', requestId), { code: 0, out: `Approved ${key.id} (${requestId})\n`, err: '' });
  t.match(await run('devices', 'approve', requestId), { code: 1, err: /^unknown requestId/ });
  const after = await run('devices', 'list');
  t.match(after.out, /^Paired \(1\)\n/);
  t.match(after.out, /│ Device +│ Roles +│ Scopes +│ Tokens +│ IP +│/);
  t.match(after.out, /│ desk +│ operator +│ operator\.read +│ operator +│/);
  t.match(after.out, key.id, 'the whole id is there: remove needs it');
  t.match(await run('devices', 'approve'), { code: 1, err: 'No pending device pairing requests to approve\n' });
});

t.test('--json is what the wire says', async (t) => {
  const { run, stranger } = await world(t);
  const waiting = await stranger();
  const { requestId, key } = await stranger();
  await run('devices', 'approve', requestId, '--json');
  const { out } = await run('devices', 'list', '--json');
  t.match(JSON.parse(out), {
    pending: [
      { requestId: waiting.requestId, deviceId: waiting.key.id, role: 'operator', isRepair: false, silent: false },
    ],
    paired: [{ deviceId: key.id, roles: ['operator'], tokens: [{ role: 'operator', scopes: ['operator.read'] }] }],
  });
  t.equal(out, `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
});

t.test('reject, rename, rotate, revoke, remove, clear', async (t) => {
  const { run, stranger, gateway } = await world(t);
  const no = await stranger();
  t.match(await run('devices', 'reject', no.requestId), { code: 0, out: `Rejected ${no.key.id}\n` });
  t.match(await run('devices', 'reject', no.requestId), { code: 1, err: /^unknown requestId/ });

  const { key, requestId } = await stranger();
  await run('devices', 'approve', requestId);
  t.match(await run('devices', 'rename', key.id, 'Front desk'), { code: 0, out: `Renamed ${key.id} to Front desk\n` });
  const rotated = await run('devices', 'rotate', '--device', key.id, '--role', 'operator');
  t.equal(rotated.code, 0);
  t.match(JSON.parse(rotated.out), {
    deviceId: key.id,
    role: 'operator',
    scopes: ['operator.read'],
    tokenDelivery: 'withheld-cross-device',
  });
  t.notOk('token' in JSON.parse(rotated.out));
  t.match(await run('devices', 'rotate', '--device', key.id, '--role', 'operator', '--scope', 'operator.admin'), {
    code: 1,
    err: /^unknown deviceId\/role/,
  });
  const revoked = await run('devices', 'revoke', '--device', key.id, '--role', 'operator');
  t.match(JSON.parse(revoked.out), { deviceId: key.id, role: 'operator' });
  t.match((await run('devices', 'list')).out, /operator \(revoked\)/);
  t.match((await connect(gateway.port, key, { auth: { token: TOKEN } }, REMOTE)).answer, { ok: true });
  t.match(await run('devices', 'remove', key.id), { code: 0, out: `Removed ${key.id}\n` });
  t.match(await run('devices', 'remove', key.id), { code: 1, err: /^unknown deviceId\n/ });

  const more = await stranger();
  const larger = await connect(
    gateway.port,
    more.key,
    { scopes: ['operator.read', 'operator.write'], auth: { token: TOKEN } },
    REMOTE,
  );
  t.match(await run('devices', 'approve', more.requestId), {
    code: 1,
    err: /^unknown requestId: superseded by .*\nlook at the new request, then approve it by its own id\n$/,
  });
  await run('devices', 'approve', larger.answer.error.details.requestId);
  await stranger();
  t.match(await run('devices', 'clear'), { code: 1, err: 'Refusing to clear pairing table without --yes\n' });
  t.match(await run('devices', 'clear', '--yes', '--pending'), {
    code: 0,
    out: 'Cleared 1 paired device\nRejected 1 pending request\n',
  });
  t.match((await run('devices', 'list')).out, 'No device pairing entries.');
  const last = await stranger();
  await run('devices', 'approve', last.requestId);
  const cleared = await run('devices', 'clear', '--yes', '--json');
  t.same(JSON.parse(cleared.out), { removed: [last.key.id], rejected: [] });
});

t.test('a device that comes back as another is flagged, with what it was and what it says', async (t) => {
  const { run, stranger, gateway } = await world(t);
  const { key, requestId } = await stranger({ client: { platform: 'ios 18.1', deviceFamily: 'iPhone' } });
  await run('devices', 'approve', requestId);
  await connect(
    gateway.port,
    key,
    { auth: { token: TOKEN }, client: { platform: 'linux', deviceFamily: 'Linux' } },
    REMOTE,
  );
  const { out } = await run('devices', 'list');
  t.match(out, /│ just now +│ repair +│/);
  t.match(out, /claims linux; approved before as ios 18\.1, iPhone/);
});

t.test('with the gateway down: reading answers, deciding decides, and the record says who', async (t) => {
  const { run, stranger, gateway, state } = await world(t);
  const yes = await stranger();
  const no = await stranger();
  await gateway.end();
  const words = 'The gateway is not running: working on its log.\n';
  t.match(await run('devices', 'list'), { code: 0, out: new RegExp(yes.requestId), err: words });
  t.match(await run('devices', 'approve', yes.requestId), {
    code: 0,
    out: `Approved ${yes.key.id} (${yes.requestId})\n`,
  });
  t.match(await run('devices', 'reject', no.requestId), { code: 0, out: `Rejected ${no.key.id}\n` });
  t.match(await run('devices', 'approve', UNKNOWN), { code: 1, err: /unknown requestId/ });
  t.match(await run('devices', 'rename', yes.key.id, 'desk'), { code: 0 });
  t.match(await run('devices', 'rotate', '--device', yes.key.id, '--role', 'operator'), { code: 0 });
  t.match(await run('devices', 'revoke', '--device', yes.key.id, '--role', 'operator'), { code: 0 });
  t.match((await run('devices', 'list')).out, /│ desk .*operator \(revoked\)/);
  const approved = logOf(state).find(({ type }) => type === 'pairing.approved');
  t.match(approved, { actor: { kind: 'host' }, data: { rule: 'host' }, origin: { osUser: userInfo().username } });
  t.notOk(existsSync(join(state, 'ledger', 'lock')));
  const all = await Promise.all(Array.from({ length: 4 }, (_, i) => run('devices', 'rename', yes.key.id, `name ${i}`)));
  t.ok(
    all.every(({ code }) => code === 0),
    'many at once take turns',
  );
  t.match(await run('rebuild', '--check'), { code: 0, out: /0 different\n$/ });
  const again = await gatewayProcess(t, state, [], SECRET);
  t.match((await connect(again.port, yes.key, { auth: { token: TOKEN } }, REMOTE)).answer, { ok: true });
});

t.test('with no gateway and no log, it says so', async (t) => {
  const state = stateFolder(t);
  t.match(await openclaw(state, ['devices', 'list']), {
    code: 1,
    err: /no gateway is running here, and there is no log in /,
  });
  t.match(await openclaw(state, ['events', 'list']), { code: 1, err: /there is no log in .*OPENCLAW_STATE_DIR/ });
  t.match(await openclaw(state, ['health', '--timeout', '500']), {
    code: 1,
    err: /Gateway not reachable: connect ECONNREFUSED/,
  });
});

t.test(
  'from another machine: its own key, kept where the original keeps it; refused, approved, then by its token',
  async (t) => {
    const state = stateFolder(t);
    const gateway = await gatewayProcess(t, state, ['--no-auto-approve'], SECRET);
    const there = stateFolder(t);
    const url = ['--url', `ws://127.0.0.1:${gateway.port}`];
    const refused = await openclaw(there, ['devices', 'list', ...url, '--token', TOKEN]);
    t.equal(refused.code, 1);
    t.match(refused.err, /^gateway connect failed: pairing required: device is not approved yet\n/);
    const requestId = /openclaw devices approve (\S+)/.exec(refused.err)?.[1] ?? '';
    const identity = join(there, 'identity', 'device.json');
    t.equal(statSync(identity).mode & 0o777, 0o600);
    t.match(JSON.parse(readFileSync(identity, 'utf8')), {
      version: 1,
      deviceId: /^[0-9a-f]{64}$/,
      publicKeyPem: /BEGIN PUBLIC KEY/,
      privateKeyPem: /BEGIN PRIVATE KEY/,
      createdAtMs: Number,
    });
    t.match(await openclaw(state, ['devices', 'approve', requestId]), { code: 0 });
    t.match(await openclaw(there, ['devices', 'list', ...url, '--token', TOKEN]), { code: 0, out: /Paired \(1\)/ });
    const kept = JSON.parse(readFileSync(join(there, 'identity', 'device-auth.json'), 'utf8'));
    t.match(kept, {
      version: 1,
      tokens: { operator: { token: String, role: 'operator', scopes: Array, updatedAtMs: Number } },
    });
    t.match(
      await openclaw(there, ['health', ...url]),
      { code: 0, out: /^Gateway health: OK/ },
      'the token it was given is enough',
    );
    t.match(await openclaw(there, ['health', '--url', 'nonsense', '--token', TOKEN]), {
      code: 2,
      err: /^--url: must be a WebSocket address/,
    });
    const other = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    t.teardown(() => other.close());
    await once(other, 'listening');
    other.on('connection', (socket) => socket.send('hello?'));
    const elsewhere = `ws://127.0.0.1:${(other.address() as AddressInfo).port}`;
    t.match(await openclaw(there, ['health', '--url', elsewhere, '--token', TOKEN]), {
      code: 1,
      err: /does not speak the protocol of a gateway/,
    });
    t.match(await openclaw(there, ['health', '--url', 'ws://192.0.2.1:1', '--timeout', '300']), {
      code: 2,
      err: /requires explicit credentials/,
    });
  },
);

t.test('health, status, probe, call', async (t) => {
  const { run, stranger, gateway } = await world(t);
  await stranger();
  t.match(await run('health'), { code: 0, out: /^Gateway health: OK \(\d+ms, .*gateway\.sock\)\n$/ });
  t.match(JSON.parse((await run('health', '--json')).out), { ok: true, agents: [{ agentId: 'main' }] });
  const status = await run('status');
  t.match(
    status.out,
    /^1 request waits for a decision: openclaw devices list\nGateway: running, version /,
    'who waits comes first',
  );
  t.match(JSON.parse((await run('gateway', 'status', '--json')).out), {
    reachable: true,
    healthy: true,
    pending: 1,
    paired: 0,
  });
  t.match(await run('gateway', 'probe'), { code: 0, out: /^Gateway Status\nReachable: yes\nConnect: ok / });
  t.match(await run('gateway', 'health'), { code: 0 });
  t.match(await run('gateway', 'call', 'health'), { code: 0, out: /^Gateway call: health\n\{/ });
  t.match(await run('gateway', 'call', 'logs.tail', '--params', '{"limit":1}', '--json'), {
    code: 0,
    out: /"lines": \[/,
  });
  t.match(await run('gateway', 'call', 'no.such'), {
    code: 1,
    err: 'Gateway call failed: Error: unknown method: no.such\n',
  });
  t.match(await run('gateway', 'call', 'health', '--params', '{'), { code: 2, err: /--params must be JSON/ });
  await gateway.end();
  t.match(await run('gateway', 'probe', '--timeout', '500'), { code: 1, out: /Reachable: no\nConnect: failed/ });
  t.match(await run('status', '--timeout', '500'), { code: 1, out: /Gateway: not reachable/ });
});

t.test('wrong usage is exit 2, and says what would be right', async (t) => {
  const state = stateFolder(t);
  t.match(await openclaw(state, ['devices', 'revoke']), { code: 2, err: /--device <id>/ });
  t.match(await openclaw(state, ['nonsense']), { code: 2, err: /unknown command/ });
  t.match(await openclaw(state, ['devices', 'list', '--timeout', 'soon']), { code: 2, err: /whole number/ });
  t.match(await openclaw(state, ['--help']), { code: 0, out: /Usage: openclaw/ });
  t.match(await openclaw(state, ['--version']), { code: 0, out: /^\d+\.\d+\.\d+\n$/ });
});
