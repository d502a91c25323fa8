import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { attempt } from '../../src/attempt.js';

/* The whole of it, with numbers that prove nothing: it runs, says what it found, and leaves nothing behind. */

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

const bench = (...args: readonly string[]): Promise<{ code: number; said: string; complaint: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], (error, said, complaint) =>
      resolve({ code: Number(error?.code ?? 0), said, complaint }),
    );
  });

t.test('two scenarios, one after the other', async (t) => {
  const { code, said } = await bench('connect-storm', 'revocation', '--quick', '--devices', '3');
  t.equal(code, 0);
  t.match(said, /## connect-storm/);
  t.match(said, /\| 1 paired \| gateway \| [\d,.]+ \|/);
  t.match(said, /\| 1 paired \| limit \|/);
  t.match(said, /## revocation/);
  t.match(said, /PASS: device\.token\.revoke: failed at most 0; found 0/);
  t.match(said, /Machine: .*Linux .*Node \d/);
});

t.test('broken off, it leaves neither folders nor servers', async (t) => {
  const scratch = t.testdir();
  const child = spawn(process.execPath, [MAIN, 'churn', '--minutes', '60'], {
    env: { ...process.env, TMPDIR: scratch },
    stdio: 'ignore',
  });
  let folder: string | undefined;
  while (folder === undefined || !existsSync(join(scratch, folder, 'ledger', 'data.mdb'))) {
    folder = readdirSync(scratch).find((name) => name.startsWith('clawledger-bench-'));
    await sleep(20);
  }
  const servers = readdirSync('/proc').filter((pid) => environmentOf(pid).includes(`OPENCLAW_STATE_DIR=${scratch}`));
  t.ok(servers.length > 0);
  child.kill('SIGINT');
  t.same(await once(child, 'exit'), [130, null]);
  t.same(readdirSync(scratch), []);
  for (let i = 0; i < 100 && servers.some((pid) => environmentOf(pid) !== ''); i++) await sleep(20);
  t.same(
    servers.filter((pid) => environmentOf(pid) !== ''),
    [],
  );
});

const environmentOf = (pid: string): string => attempt(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '';

t.test('what there is', async (t) => {
  const { code, said } = await bench('--list');
  t.equal(code, 0);
  t.match(said, /^idle /m);
});

for (const [args, complaint] of [
  [['idel'], /^bench: there is no scenario idel/],
  [['idle', '--peer', '/nowhere'], /^bench: --peer \/nowhere has no OpenClaw 2026\.3\.2/],
  [['idle', '--connections', '999999'], /^bench: idle needs /],
] as const)
  t.test(`status 2, before anything starts: ${args.join(' ')}`, async (t) => {
    const refused = await bench(...args);
    t.equal(refused.code, 2);
    t.equal(refused.said, '');
    t.match(refused.complaint, complaint);
  });
