import { cpSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { logOf } from '../support/gateway.js';
import { folder } from '../support/ledger.js';
import { askedOf, filesIn, lived, readWhole, stateWith } from '../support/outsider.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';
import { sumdb, sumdbMissing } from '../support/sumdb.js';

/* openclaw audit export DIR, as people run it. */

const filesOf = (path: string) => (file: string) => readFileSync(join(path, file));

t.test('beside a gateway that runs: it proves itself, and that it was read is in it', async (t) => {
  const state = await stateWith(t, 600);
  const gateway = await gatewayProcess(t, state);
  const { key } = await askedOf(state);
  const path = join(folder(t), 'export');
  const { code, out, err } = await openclaw(state, ['audit', 'export', path]);
  t.equal(code, 0, err);
  const { signed, leaves } = await readWhole(filesOf(path), key);
  const { size, root } = signed.checkpoint;
  t.match(out, `size ${size}, root ${root.toString('base64')}`);
  t.match(JSON.parse(String(leaves.at(-1))), { type: 'log.read', data: { question: 'tiles', upTo: size - 1 } });
  t.equal(statSync(join(path, 'checkpoint')).mode & 0o777, 0o644 & ~process.umask());
  if (sumdbMissing === false)
    t.equal(sumdb(path, key), `ok ${size} ${root.toString('base64')}`, "and Go's own packages say so");
  else t.comment(sumdbMissing);

  const again = await openclaw(state, ['audit', 'export', path, '--json']);
  const answer = JSON.parse(again.out);
  t.match(answer, { version: 1, events: answer.size });
  const fresh = join(folder(t), 'export');
  await gateway.end();
  const offline = await openclaw(state, ['audit', 'export', path]);
  t.match(offline.err, /The gateway is not running: working on its log/);
  t.equal(offline.code, 0);
  t.equal((await openclaw(state, ['audit', 'export', fresh, '--log', state])).code, 0);
  t.same(filesIn(path), filesIn(fresh), 'what was added to is what is made anew');
  t.equal((await openclaw(state, ['audit', 'export', fresh, '--log', state])).code, 0);
  const reads = logOf(state).filter(
    ({ type, data }) => type === 'log.read' && 'question' in data && data.question === 'tiles',
  );
  t.equal(reads.length, 3, 'of a copy nobody keeps a record');
  t.match(reads[2], { actor: { kind: 'host' } });
});

t.test('what it refuses', async (t) => {
  const state = await stateWith(t, 300);
  const path = join(folder(t), 'export');
  const unsigned = await openclaw(state, ['audit', 'export', path, '--log', state]);
  t.match(unsigned, { code: 1, err: /nothing was signed/ });
  for (const [option, ...value] of [
    ['--format', 'csv'],
    ['--out', 'x'],
    ['--follow'],
    ['--device', 'abcdef'],
    ['--since', '1h'],
    ['--cursor', 'x'],
    ['--cursor-file', 'x'],
    ['--alive-every', '5'],
  ])
    t.match(await openclaw(state, ['audit', 'export', path, option ?? '', ...value]), {
      code: 2,
      err: `${option}: is for rows`,
    });
  t.match(await openclaw(state, ['audit', 'export', path, '--url', 'ws://127.0.0.1:1']), {
    code: 2,
    err: /the log of this host/,
  });
  t.notOk(existsSync(path));

  const letters = folder(t);
  writeFileSync(join(letters, 'letter.txt'), 'dear');
  t.match(await openclaw(state, ['audit', 'export', letters]), {
    code: 2,
    err: /neither empty nor the export of a log/,
  });

  t.equal((await openclaw(state, ['audit', 'export', path])).code, 0);
  const older = folder(t);
  cpSync(join(state, 'ledger'), join(older, 'ledger'), { recursive: true });
  const before = filesIn(path);
  await lived(state, 50, 2);
  t.equal((await openclaw(state, ['audit', 'export', path])).code, 0);
  const rolledBack = await openclaw(state, ['audit', 'export', path, '--log', older]);
  t.match(rolledBack, { code: 3, err: /rolled back/ });
  await lived(older, 70, 3);
  t.match(await openclaw(older, ['audit', 'export', path]), { code: 3, err: /two histories/ });
  const others = await stateWith(t, 10);
  t.match(await openclaw(others, ['audit', 'export', path]), { code: 3, err: /another log/ });
  t.not(Object.keys(filesIn(path)).length, 0);
  t.notSame(filesIn(path), before);
  const empty = stateFolder(t);
  t.match(await openclaw(empty, ['audit', 'export', path, '--log', empty]), { code: 1, err: /there is no log/ });
});

t.test('rows are what they were', async (t) => {
  const state = await stateWith(t, 30);
  const { code, out } = await openclaw(state, ['audit', 'export', '--log', state]);
  t.equal(code, 0);
  t.match(out, /^\{"seq":1,/);
});
