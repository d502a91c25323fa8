import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

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
