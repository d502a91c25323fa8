import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { connect as netConnect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { connect, newKey } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { gatewayProcess, launch, openclaw, stateFolder } from '../support/process.js';

/* Starting and stopping, as the guide shows it (guide: Reading the Gateway Startup Log). */

const NO_MARK =
  '[gateway] no high-water mark (gateway.audit.highWaterMark): an older copy of the log put in its place would go unnoticed\n';

const WITH_TOKEN = { OPENCLAW_GATEWAY_TOKEN: TOKEN };

t.test('the lines of the guide, in its order, each when it is true', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  const { port, pid, said } = gateway;
  const today = new Date();
  const day = `${today.getFullYear()}-${String(today.getMonth() + 1).padStart(2, '0')}-${String(today.getDate()).padStart(2, '0')}`;
  const lines = said.out.trimEnd().split('\n');
  t.equal(lines[0], '[gateway] token: from OPENCLAW_GATEWAY_TOKEN');
  t.equal(lines[1], `[canvas] host mounted at http://127.0.0.1:${port}/__openclaw__/canvas/`);
  t.equal(lines[2], '[heartbeat] started');
  t.equal(lines[3], '[health-monitor] started (interval: 300s, startup-grace: 60s, channel-connect-grace: 120s)');
  t.equal(lines[4], '[gateway] agent model: none configured');
  t.equal(lines[5], `[gateway] listening on ws://127.0.0.1:${port}, ws://[::1]:${port} (PID ${pid})`);
  t.match(lines[6], new RegExp(`^\\[gateway\\] log file: /tmp/openclaw(-\\d+)?/openclaw-${day}\\.log$`));
  t.equal(said.err, NO_MARK);
  t.notOk(said.out.includes(TOKEN));
  for (const host of ['127.0.0.1', '[::1]']) {
    const health = await fetch(`http://${host}:${port}/health`);
    t.same(await health.json(), { ok: true, status: 'live' });
  }
  t.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
  t.equal((await fetch(`http://127.0.0.1:${port}/healthz`, { method: 'POST' })).status, 405);
  t.equal((await fetch(`http://127.0.0.1:${port}/api/x`)).status, 404);
});

t.test('a canvas that cannot be served says so, and the rest runs', async (t) => {
  const state = stateFolder(t);
  writeFileSync(join(state, 'canvas'), 'a file, where the folder should be');
  const { port, said } = await gatewayProcess(t, state, [], WITH_TOKEN);
  t.match(said.err, /\[canvas\] host cannot serve its folder: EEXIST/);
  t.notMatch(said.out, /host mounted/);
  t.match(said.out, /\[heartbeat\] started\n/);
  t.equal((await fetch(`http://127.0.0.1:${port}/ready`)).status, 200);
});

t.test('told to stop: clients hear of it, are closed as for a restart, and the log has its end', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const state = stateFolder(t);
    const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
    const { wire } = await connect(gateway.port, newKey(), { auth: { token: TOKEN } });
    const ended = await gateway.end(signal);
    t.equal(ended.code, 0, signal);
    t.match(ended.out, `[gateway] signal ${signal} received\n[gateway] received ${signal}; shutting down\n`);
    t.same(wire.frames.find(({ event }) => event === 'shutdown')?.payload, { reason: 'gateway stopping' });
    t.same(await wire.close(), { code: 1012, reason: 'service restart' });
    t.same(
      logOf(state)
        .slice(-2)
        .map(({ type }) => type),
      ['connection.closed', 'gateway.stopped'],
    );
    t.notOk(existsSync(join(state, 'gateway.sock')), 'nothing is left behind');
    t.notOk(existsSync(join(state, 'ledger', 'lock')));
  }
});

t.test('without a token the first start makes one, says where it is, and never what it is', async (t) => {
  const state = stateFolder(t);
  const first = await gatewayProcess(t, state);
  const file = join(state, 'gateway.env');
  t.match(first.said.out, `[gateway] token: none was configured, so one was made; it is in ${file} (mode 600)`);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const token = /^OPENCLAW_GATEWAY_TOKEN=([0-9a-f]{48})$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  t.ok(token);
  t.notOk(first.said.out.includes(token));
  t.match((await connect(first.port, newKey(), { auth: { token } })).answer, { ok: true });
  await first.end();
  const second = await gatewayProcess(t, state);
  t.match(second.said.out, `[gateway] token: from ${file}`);
  t.match(
    (await connect(second.port, newKey(), { auth: { token } })).answer,
    { ok: true },
    'and the next start keeps it',
  );
});

t.test('what it makes is for the owner alone', async (t) => {
  const state = stateFolder(t);
  await gatewayProcess(t, state);
  for (const name of ['gateway.env', 'ledger/data.mdb', 'ledger/lock.mdb', 'ledger/keys.json', 'ledger/lock'])
    t.equal(statSync(join(state, name)).mode & 0o777, 0o600, name);
  for (const name of ['', 'ledger', 'gateway.sock'])
    t.equal(statSync(join(state, name)).mode & 0o077, 0, name || 'the state folder');
});

t.test('a second gateway is refused: same state, or same port', async (t) => {
  const state = stateFolder(t);
  const { pid, port } = await gatewayProcess(t, state, [], WITH_TOKEN);
  const same = await openclaw(state, ['gateway', 'run', '--port', '0']);
  t.equal(same.code, 1);
  t.equal(same.err, `Gateway failed to start: the ledger is in use by gateway (pid ${pid})\n`);
  const other = await openclaw(stateFolder(t), ['gateway', 'run', '--port', String(port)]);
  t.equal(other.code, 1);
  t.equal(
    other.err,
    `Gateway failed to start: port ${port} on 127.0.0.1 is already in use\nPort ${port} is already in use. Stop what listens there, or choose another: openclaw gateway run --port ${port + 1}\n`,
  );
});

t.test('a gateway that was killed leaves nothing that keeps the next from starting', async (t) => {
  const state = stateFolder(t);
  const killed = await gatewayProcess(t, state, [], WITH_TOKEN);
  await connect(killed.port, newKey(), { auth: { token: TOKEN } });
  await killed.end('SIGKILL');
  const next = await gatewayProcess(t, state, [], WITH_TOKEN);
  t.match((await openclaw(state, ['devices', 'list', '--json'])).code, 0);
  t.equal((await next.end()).code, 0);
});

t.test('configuration that is wrong is refused with exit 78, by name and never by value', async (t) => {
  const cases: readonly [config: string, words: RegExp][] = [
    ['{ gateway: { prot: 1 } }', /gateway: unexpected property 'prot'/],
    ['{ gateway: { port: "s3cret" } }', /gateway\.port: must be integer/],
    ['{ gateway: { auth: { mode: "s3cret" } } }', /gateway\.auth\.mode: must be one of/],
    ['{ gateway: { auth: { mode: "password" } } }', /set OPENCLAW_GATEWAY_PASSWORD/],
    ['{ gateway: { bind: "lan", auth: { mode: "none" } } }', /refusing to listen beyond loopback without auth/],
    ['{ gateway: { tls: { enabled: true } } }', /TLS is not served here/],
    ['{ gateway: ', /is not JSON5/],
  ];
  for (const [config, words] of cases) {
    const state = stateFolder(t);
    writeFileSync(join(state, 'openclaw.json'), config);
    const ended = await openclaw(state, ['gateway', 'run', '--port', '0']);
    t.equal(ended.code, 78, config);
    t.match(ended.err, words);
    t.notOk(ended.err.includes('s3cret'));
    t.notOk(existsSync(join(state, 'ledger')), 'nothing was made');
  }
});

t.test('a configuration made for the original is taken; what has no effect here is said in one line', async (t) => {
  const state = stateFolder(t);
  writeFileSync(
    join(state, 'openclaw.json'),
    '{ agents: { list: [] }, channels: {}, gateway: { mode: "local", tailscale: { mode: "off" } } }',
  );
  mkdirSync(join(state, 'devices'));
  writeFileSync(join(state, 'devices', 'pending.json'), '{}');
  const { said } = await gatewayProcess(t, state, [], WITH_TOKEN);
  t.match(said.out, /without effect here: .*agents.*channels.*gateway\.tailscale/);
  t.match(
    said.err,
    /devices\/pending\.json in .* have no effect here: who may connect is decided by the log; use openclaw devices list, approve, reject, remove/,
  );
});

t.test('files that others can read are refused, with the command that mends them', async (t) => {
  const state = stateFolder(t);
  await (await gatewayProcess(t, state)).end();
  for (const [name, mode, mend] of [
    ['ledger/keys.json', 0o644, 'chmod 600'],
    ['gateway.env', 0o640, 'chmod 600'],
    ['', 0o755, 'chmod 700'],
  ] as const) {
    const path = join(state, name);
    const before = statSync(path).mode & 0o777;
    chmodSync(path, mode);
    const ended = await openclaw(state, ['gateway', 'run', '--port', '0']);
    t.equal(ended.code, 78, name);
    t.match(ended.err, `${mend} ${path}`);
    chmodSync(path, before);
  }
});

t.test('a damaged log is not touched, and says how much of it is good', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  for (let i = 0; i < 3; i++) (await connect(gateway.port, newKey(), { auth: { token: TOKEN } })).wire.end();
  await gateway.end();
  const file = join(state, 'ledger', 'data.mdb');
  const before = readFileSync(file);
  const damaged = Buffer.from(before);
  const at = before.lastIndexOf('"type":"pairing.approved"');
  damaged.write('"type":"pairing.aXproved"', at);
  writeFileSync(file, damaged);
  const ended = await openclaw(state, ['gateway', 'run', '--port', '0']);
  t.equal(ended.code, 3);
  t.match(ended.err, /the ledger is damaged: event \d+ is damaged: .*; the last good position is event \d+/);
  t.match(ended.err, 'Nothing was written.');
  t.ok(readFileSync(file).equals(damaged));
  truncateSync(file, 5000);
  t.match(await openclaw(state, ['gateway', 'run', '--port', '0']), { code: 3, err: /its file/ });
});

t.test('keys that were lost are not made anew in silence', async (t) => {
  const state = stateFolder(t);
  await (await gatewayProcess(t, state, [], WITH_TOKEN)).end();
  const file = join(state, 'ledger', 'keys.json');
  writeFileSync(file, 'nonsense');
  t.match(await openclaw(state, ['gateway', 'run', '--port', '0']), {
    code: 78,
    err: /is not a key file of this version: restore it from a backup/,
  });
  (await import('node:fs')).rmSync(file);
  t.match(await openclaw(state, ['gateway', 'run', '--port', '0']), {
    code: 78,
    err: /is missing, but the log has events.*--new-keys/,
  });
  const gateway = await gatewayProcess(t, state, ['--new-keys'], WITH_TOKEN);
  t.equal((await gateway.end()).code, 0);
});

t.test('whoever is half way in when it stops does not keep it, and does it no harm', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], WITH_TOKEN);
  const half = netConnect({ port: gateway.port, host: '127.0.0.1' });
  half.on('error', () => {});
  await once(half, 'connect');
  half.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  const { wire } = await connect(gateway.port, newKey(), { auth: { token: TOKEN } });
  const ended = gateway.end();
  t.match(await wire.close(), { code: 1012, reason: 'service restart' });
  half.write(
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  t.match(await ended, { code: 0, err: NO_MARK });
  half.destroy();
});

t.test('without approval by rule, a program of this host that leaves its device out gains nothing', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--no-auto-approve'], WITH_TOKEN);
  const { wire, answer } = await connect(gateway.port, undefined, {
    scopes: ['operator.admin', 'operator.pairing'],
    auth: { token: TOKEN },
  });
  if (answer.ok) t.match(await wire.call('device.pair.list'), { ok: false, error: { message: /^missing scope/ } });
  else t.match(answer.error, { code: 'NOT_PAIRED' });
  wire.end();
});

t.test('a gateway whose terminal is gone goes on', async (t) => {
  const state = stateFolder(t);
  const child = launch(state, ['gateway', 'run', '--port', '0'], WITH_TOKEN);
  t.teardown(() => child.kill('SIGKILL'));
  const port = await new Promise<number>((resolve) =>
    child.stdout?.on('data', (data) => {
      const [, found] = /127\.0\.0\.1:(\d+)/.exec(String(data)) ?? [];
      if (found !== undefined) resolve(Number(found));
    }),
  );
  child.stdout?.destroy();
  child.stderr?.destroy();
  for (let i = 0; i < 3; i++) {
    const { wire } = await connect(port, newKey(), { auth: { token: 'wrong' } });
    await wire.close();
  }
  t.match((await connect(port, newKey(), { auth: { token: TOKEN } })).answer, { ok: true });
  child.kill('SIGTERM');
  t.equal(await new Promise((resolve) => child.on('exit', resolve)), 0);
});
