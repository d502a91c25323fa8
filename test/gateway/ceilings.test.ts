import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { machineHere, tooLow } from '../../src/gateway/ceilings.js';
import { stateFolder } from '../support/process.js';

/* What the machine gives too little of is said at the start, with what to raise and to what. */

const GiB = 2 ** 30;
const plenty = { openFiles: 65_536, addressSpace: Number.POSITIVE_INFINITY, memory: 8 * GiB };
const small = { workers: 0, pairedDevices: 3, logBytes: 0 };

t.test('a machine that gives enough is told nothing', async (t) => {
  t.same(tooLow(plenty, small), []);
  t.same(tooLow({ ...plenty, openFiles: Number.POSITIVE_INFINITY }, { ...small, pairedDevices: 1_000_000 }), []);
});

t.test('what is too low is named, with the value that does', async (t) => {
  const [files = ''] = tooLow({ ...plenty, openFiles: 1024 }, small);
  t.match(files, /^open files: 1024 .* room for 896 connections: raise them to 4224 \(ulimit -n 4224,/);
  t.same(tooLow({ ...plenty, openFiles: 4224 }, small), [], 'that very value is enough');
  const fleet = { ...small, pairedDevices: 50_000 };
  const [more = ''] = tooLow(plenty, fleet);
  t.match(more, /50000 devices are paired: raise them to 100128 .*--workers/);
  t.same(tooLow(plenty, { ...fleet, workers: 2 }), [], 'or more processes');
  t.match(tooLow({ ...plenty, addressSpace: 4 * GiB }, small), [/^address space: 4,096 MiB .* 8,192 MiB.*ulimit -v/]);
  t.equal(
    tooLow({ ...plenty, addressSpace: 16 * GiB }, { ...small, logBytes: 3 * GiB }).length,
    1,
    'it grows with the log',
  );
  t.match(tooLow({ ...plenty, memory: GiB }, { ...small, workers: 5 }), [
    /^memory: 1,024 MiB .*5 workers.* 1,536 MiB.*MemoryMax=1536M/,
  ]);
});

t.test('the limits of this process are found', { skip: process.platform !== 'linux' }, async (t) => {
  const soft = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }));
  t.equal(machineHere().openFiles, soft, 'Node has raised the soft limit to the hard one');
  t.ok(machineHere().memory > 0);
});

t.test(
  'a gateway that may open few files says so when it starts',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
    const state = stateFolder(t);
    const { stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -n 512; exec "$0" "$@"', process.execPath, main, 'gateway', 'run', '--port', '0'],
      {
        env: { PATH: process.env['PATH'], HOME: state, OPENCLAW_STATE_DIR: state },
        encoding: 'utf8',
        timeout: 3000,
      },
    );
    t.match(stderr, /open files: 512 .* raise them to 4224/);
  },
);
