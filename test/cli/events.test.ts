import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../src/runtime.js';
import { connect, newKey, REMOTE } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { asked, openLedger, ticked, write } from '../support/ledger.js';
import { gatewayProcess, launch, openclaw, stateFolder } from '../support/process.js';

/* A plain look at the log, beside a gateway that runs or without one. */

const SECRET = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
const lines = (text: string): readonly string[] => text.trimEnd().split('\n');

t.test('list, tail, and their filters', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], SECRET);
  const key = newKey();
  (await connect(gateway.port, key, { auth: { token: TOKEN } }, REMOTE)).wire.end();
  const all = lines((await openclaw(state, ['events', 'list'])).out);
  t.match(all[0], /^ +1 {2}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}gateway\.started /);
  t.ok(all.length >= 4);
  t.equal(lines((await openclaw(state, ['events', 'list', '--after', '2'])).out).length, all.length - 2);
  t.equal(lines((await openclaw(state, ['events', 'list', '--limit', '2'])).out).length, 2);
  t.same(lines((await openclaw(state, ['events', 'tail', '--limit', '2'])).out), all.slice(-2));
  const json = lines((await openclaw(state, ['events', 'list', '--json', '--subject', `device:${key.id}`])).out).map(
    (line) => JSON.parse(line),
  );
  t.match(json, [{ type: 'pairing.requested', v: 1, subject: `device:${key.id}`, data: { device: key.id } }]);
  t.match((await openclaw(state, ['events', 'list', '--type', 'connection.refused'])).out, /not-paired \(1008\)/);
  t.match(await openclaw(state, ['events', 'list', '--type', 'pairing.x']), {
    code: 2,
    err: /unknown event type; there are: pairing\.requested, /,
  });
});

t.test('list counts from the start, tail from the end; a limit and --follow would leave a gap', async (t) => {
  const state = stateFolder(t);
  await (await gatewayProcess(t, state, [], SECRET)).end();
  const all = lines((await openclaw(state, ['events', 'list'])).out);
  t.same(lines((await openclaw(state, ['events', 'list', '--limit', '2'])).out), all.slice(0, 2));
  t.match(await openclaw(state, ['events', 'list', '--limit', '2', '--follow']), {
    code: 2,
    err: /openclaw events tail/,
  });
});

t.test('--follow goes on with what comes, until interrupted', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], SECRET);
  const child = launch(state, ['events', 'tail', '--follow', '--type', 'pairing.requested', '--json'], {});
  const seen: string[] = [];
  let wake = (): void => {};
  child.stdout?.on('data', (data) => {
    seen.push(...lines(String(data)));
    wake();
  });
  const devices: string[] = [];
  for (let i = 0; i < 3; i++) {
    const key = newKey();
    devices.push(key.id);
    (await connect(gateway.port, key, { auth: { token: TOKEN } }, REMOTE)).wire.end();
  }
  while (seen.length < 3)
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  t.same(
    seen.map((line) => JSON.parse(line).data.device),
    devices,
  );
  child.kill('SIGINT');
  t.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
});

t.test('rebuild, and its check', async (t) => {
  const state = stateFolder(t);
  const path = join(state, 'ledger');
  const ledger = await openLedger(path, { clock: systemClock });
  await write(ledger, asked('a'.repeat(64), 'r1'), asked('b'.repeat(64), 'r2'), ticked(1));
  await ledger.close();
  t.match(await openclaw(state, ['rebuild', '--check']), {
    code: 0,
    out: '3 events replayed, 4 rows compared, 0 different\n',
  });
  const file = join(path, 'data.mdb');
  const bytes = readFileSync(file);
  /* Each place where it begins a row: in the view, and in what is kept of it as it was. */
  const row = '{"requestId":"r1"';
  for (let at = bytes.indexOf(row); at !== -1; at = bytes.indexOf(row, at + 1))
    if (bytes[at - 1] !== ':'.charCodeAt(0)) bytes.write('{"requestId":"rX"', at);
  writeFileSync(file, bytes);
  t.match(await openclaw(state, ['rebuild', '--check']), {
    code: 3,
    out: /1 different/,
    err: /^pending a+: different\n.*openclaw rebuild\n$/s,
  });
  t.match(await openclaw(state, ['rebuild']), { code: 0, out: 'Views rebuilt from 3 events\n' });
  t.match(JSON.parse((await openclaw(state, ['rebuild', '--check', '--json'])).out), { events: 3, differences: [] });

  const mended = readFileSync(file);
  mended.write('"type":"health.tackle"', mended.lastIndexOf('"type":"health.ticked"'));
  writeFileSync(file, mended);
  for (const args of [['rebuild'], ['rebuild', '--check'], ['gateway', 'run', '--port', '0']])
    t.match(await openclaw(state, args), {
      code: 3,
      err: /event 3 is damaged: it is of a type this program does not know/,
    });
});

t.test('a running gateway keeps its log to itself for writing, not for reading', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, [], SECRET);
  t.match(await openclaw(state, ['rebuild', '--check']), { code: 0, out: /0 different/ });
  t.match(await openclaw(state, ['rebuild']), {
    code: 1,
    err: `the ledger is in use by gateway (pid ${gateway.pid})\n`,
  });
});

t.test('a reader that goes away is no error', async (t) => {
  const state = stateFolder(t);
  const ledger = await openLedger(join(state, 'ledger'), { clock: systemClock });
  for (let i = 0; i < 5; i++) await write(ledger, ...Array.from({ length: 1000 }, (_, n) => ticked(n)));
  await ledger.close();
  const child = spawn(
    'sh',
    [
      '-c',
      `"${process.execPath}" "${new URL('../../src/cli/main.js', import.meta.url).pathname}" events list | head -1; exit \${PIPESTATUS:-0}`,
    ],
    { env: { PATH: process.env['PATH'], OPENCLAW_STATE_DIR: state } },
  );
  let err = '';
  child.stderr.on('data', (data) => {
    err += data;
  });
  t.equal(await new Promise((resolve) => child.on('close', resolve)), 0);
  t.equal(err, '');
});
