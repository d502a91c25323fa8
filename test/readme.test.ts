import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import t from 'tap';
import { openclaw, stateFolder } from './support/process.js';

/* What the README says is typed here as it stands there. */

const readme = readFileSync('README.md', 'utf8');

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

t.test('the sixty-second tour, as written, after its first line, which brought the program here', async (t) => {
  const [, block = ''] = /<!-- tour -->\n```sh\n([\s\S]*?)\n```/.exec(readme) ?? [];
  const [first, ...lines] = block.split('\n');
  t.equal(first, 'npm install && npm run build');
  const shell = spawn('bash', ['-O', 'expand_aliases'], {
    env: { PATH: process.env['PATH'], HOME: stateFolder(t), OPENCLAW_GATEWAY_PORT: String(await freePort()) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [shell.stdout, shell.stderr]) {
    stream.on('data', (data) => {
      said += data;
    });
  }
  shell.stdin.end(`exec 2>&1\n${lines.join('\n')}\n`);
  const code = await new Promise((resolve) => shell.on('close', resolve));
  t.equal(code, 0);
  const story = [
    /\[gateway\] listening on ws:\/\/127\.0\.0\.1:\d+, ws:\/\/\[::1\]:\d+ \(PID \d+\)/,
    /\[gateway\] log file: /,
    /gateway closed \(1008\): pairing required/,
    /openclaw devices approve [0-9a-f-]{36}/,
    /Pending \(1\)/,
    /asks for operator\.read/,
    /Approved [0-9a-f]{64}/,
    /Gateway health: OK/,
    /gateway\.started/,
    /pairing\.requested/,
    /connection\.refused/,
    /pairing\.approved/,
    /connection\.accepted .* as operator \(read\), by token/,
    /"type":"pairing\.approved"/,
    /A receipt for event \d+ is in/,
    /Proven: this is event \d+ of clawledger\/[0-9a-f]{16}/,
    /integrity {5}sound/,
    /Sound: every event is what was signed for/,
    /\d+ events replayed, \d+ rows compared, 0 different/,
  ];
  t.match(
    said,
    /\[ws\] closed before connect .* code=1008 reason=pairing required/,
    'whichever of the two speaks first',
  );
  let from = 0;
  for (const line of story) {
    const found = said.slice(from).search(line);
    t.not(found, -1, `${line} in: ${said.slice(from)}`);
    from += Math.max(0, found);
  }
});

t.test('every command that it names is there', async (t) => {
  const named = new Set(
    [...readme.matchAll(/openclaw ((?:gateway|devices|events|audit|rebuild|health|status)(?: [a-z]+)*)/g)].map(
      ([, command]) => command,
    ),
  );
  t.ok(named.size > 10);
  for (const command of named) {
    const words = (command as string).split(' ');
    const known = words.slice(0, 2);
    const { code, err } = await openclaw(stateFolder(t), [...known, '--help']);
    t.match({ code, err }, { code: 0, err: '' }, known.join(' '));
  }
});

t.test('every file that the pages link to is there', async (t) => {
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md', 'docs/audit.md'];
  for (const page of pages) {
    const links = [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link ?? '');
    for (const link of links) t.ok(existsSync(join(dirname(page), link)), `${page}: ${link}`);
  }
});
