import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { connect, newKey, REMOTE } from '../support/device.js';
import { logOf, running, TOKEN } from '../support/gateway.js';

/* Whoever can enter the state folder owns the host (design.md §6.9): no device, no token, and the record says so. */

t.test('through the socket file: full rights without a key or a secret, and never a lock-out', async (t) => {
  const { port, state, stop } = await running(t, { flags: { autoApprove: false } });
  const file = join(state, 'gateway.sock');
  t.equal(statSync(state).mode & 0o777, 0o700);
  const asked = await connect(port, newKey(), { auth: { token: TOKEN } }, REMOTE);
  const { requestId } = asked.answer.error.details;

  const { wire, answer } = await connect(`ws+unix://${file}:/`, undefined, {
    scopes: ['operator.admin', 'operator.pairing'],
  });
  t.match(answer.payload.auth, { role: 'operator', scopes: ['operator.admin', 'operator.pairing'] });
  t.equal(answer.payload.auth.deviceToken, undefined);
  t.match(await wire.call('device.pair.approve', { requestId }), { ok: true });
  wire.end();
  await wire.close();
  await stop();

  const osUser = userInfo().username;
  const log = logOf(state);
  const came = log.find(
    ({ type, data }) => type === 'connection.accepted' && 'method' in data && data.method === 'host-proof',
  );
  t.match(came, { data: { rule: 'host-proof', local: true }, origin: { osUser } });
  const yes = log.find(({ type }) => type === 'pairing.approved');
  t.match(yes, { actor: { kind: 'connection', method: 'host-proof' }, data: { rule: 'host-proof' } });
});

t.test('with a key as well, the device is not paired by it', async (t) => {
  const { state } = await running(t);
  const { wire, answer } = await connect(`ws+unix://${join(state, 'gateway.sock')}:/`, newKey(), {
    scopes: ['operator.admin', 'operator.pairing'],
  });
  t.equal(answer.ok, true);
  t.same((await wire.call('device.pair.list')).payload.paired, []);
  wire.end();
});

t.test('a state folder whose path is too long for a socket: a warning, and the gateway runs', async (t) => {
  const state = join(mkdtempSync(join(tmpdir(), 'clawledger-')), 'x'.repeat(200));
  const { port, lines } = await running(t, { state });
  t.ok(lines.some((line) => line.includes('no socket at')));
  t.match((await connect(port, newKey(), { auth: { token: TOKEN } })).answer, { ok: true });
});

t.test('what arrives at the port cannot pass for it', async (t) => {
  const { port } = await running(t);
  const { answer } = await connect(port, undefined, {}, { Host: 'localhost', 'X-Host-Socket': '1' });
  t.match(answer.error, { code: 'NOT_PAIRED', message: 'device identity required' });
});
