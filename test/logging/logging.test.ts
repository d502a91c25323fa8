import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { limits } from '../../src/limits.js';
import { fileOfDay, logFolder } from '../../src/logging/daily-file.js';
import { Logging, type LoggingOptions } from '../../src/logging/logging.js';
import { folder } from '../support/ledger.js';
import { REMOTE_PEER } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* The text log: one file a day, bounded, in a folder of ours alone, and never through a symbolic link. */

const make = (t: Test, more: Partial<LoggingOptions> = {}) => {
  const temporary = folder(t);
  const clock = new TestClock();
  const out: string[] = [];
  const err: string[] = [];
  const log = new Logging({
    level: 'info',
    temporary,
    clock,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    ...more,
  });
  t.teardown(() => log.close());
  return { log, clock, out, err, temporary };
};

const DAY = 24 * 60 * 60 * 1000;

t.test('a line for people, and one for programs', async (t) => {
  const { log, out, err, clock, temporary } = make(t);
  log.gateway.info('listening');
  log.gateway.warn('careful');
  log.gateway.debug('not now');
  t.same([out, err], [['[gateway] listening'], ['[gateway] careful']]);
  const file = join(temporary, 'openclaw', fileOfDay(new Date(clock.now())));
  t.equal(log.file?.path, file);
  t.equal(statSync(join(temporary, 'openclaw')).mode & 0o777, 0o700);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const lines = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(lines, [
    {
      0: '{"subsystem":"gateway"}',
      1: 'listening',
      _meta: { logLevelName: 'INFO', name: '{"subsystem":"gateway"}' },
      time: new Date(clock.now()).toISOString(),
    },
    { 1: 'careful', _meta: { logLevelName: 'WARN' } },
  ]);
});

t.test('a new day is a new file, and old days go', async (t) => {
  const { log, clock, temporary } = make(t);
  for (let day = 0; day < limits.log.filesKept + 4; day++) {
    log.gateway.info(`day ${day}`);
    clock.pass(DAY);
  }
  const files = readdirSync(join(temporary, 'openclaw')).sort();
  t.equal(files.length, limits.log.filesKept);
  t.match(readFileSync(join(temporary, 'openclaw', files.at(-1) ?? ''), 'utf8'), `day ${limits.log.filesKept + 3}`);
});

t.test('a file that is full is put aside once', async (t) => {
  const { log, clock, temporary } = make(t);
  const file = join(temporary, 'openclaw', fileOfDay(new Date(clock.now())));
  writeFileSync(file, Buffer.alloc(limits.log.fileBytes));
  log.gateway.info('after');
  t.match(readFileSync(file, 'utf8'), 'after');
  t.equal(statSync(`${file}.1`).size, limits.log.fileBytes);
});

t.test('a folder that is a symbolic link is not followed, nor is a file', async (t) => {
  const temporary = folder(t);
  const elsewhere = folder(t);
  symlinkSync(elsewhere, join(temporary, 'openclaw'));
  const uid = process.getuid?.() ?? 0;
  t.equal(logFolder(temporary), join(temporary, `openclaw-${uid}`));
  t.same(readdirSync(elsewhere), []);

  const { log, err, clock, temporary: second } = make(t);
  const target = join(elsewhere, 'target');
  symlinkSync(target, join(second, 'openclaw', fileOfDay(new Date(clock.now()))));
  log.gateway.info('hello');
  log.gateway.info('again');
  t.notOk(existsSync(target));
  t.equal(err.filter((line) => line.includes('log file cannot be written')).length, 1, 'told once');
});

t.test('a folder that is open to others is closed', async (t) => {
  const temporary = folder(t);
  mkdirSync(join(temporary, 'openclaw'));
  chmodSync(join(temporary, 'openclaw'), 0o755);
  t.equal(logFolder(temporary), join(temporary, 'openclaw'));
  t.equal(statSync(join(temporary, 'openclaw')).mode & 0o777, 0o700);
});

t.test(
  'a folder of somebody else is left to them',
  { skip: process.getuid?.() !== 0 && 'only root can make one' },
  async (t) => {
    const { chownSync } = await import('node:fs');
    const temporary = folder(t);
    mkdirSync(join(temporary, 'openclaw'), { mode: 0o777 });
    chownSync(join(temporary, 'openclaw'), 12_345, 12_345);
    t.equal(logFolder(temporary), join(temporary, 'openclaw-0'));
  },
);

t.test('text from outside is one line, capped, without control characters', async (t) => {
  const { log, err } = make(t);
  const peer = {
    ...REMOTE_PEER,
    userAgent: `curl\n[gateway] listening on ws://evil\u001b[31m\u202e${'x'.repeat(500)}`,
    origin: '\u0000',
    forwardedFor: '',
  };
  log.closedBeforeConnect({ connection: 'c1', peer, close: { code: 4008, reason: 'connect failed' } });
  t.equal(err.length, 1);
  t.match(
    err[0],
    /^\[ws\] closed before connect conn=c1 remote=203\.0\.113\.7 fwd=n\/a origin=n\/a host=gateway\.example\.test ua=curl \[gateway\] listening on ws:\/\/evil \[31m x+ code=4008 reason=connect failed$/,
  );
  t.ok((err[0]?.length ?? 0) < 400);
});

t.test('a flood of refusals is a bounded number of lines, and then a count', async (t) => {
  const { log, err, clock } = make(t);
  for (let i = 0; i < limits.refusals.logLines + 500; i++)
    log.closedBeforeConnect({ connection: `c${i}`, peer: REMOTE_PEER, close: { code: 1008, reason: '' } });
  t.equal(err.length, limits.refusals.logLines);
  clock.pass(limits.refusals.windowMs);
  t.match(err.at(-1), /^\[ws\] 500 more connections were closed before connect/);
});

t.test('a fixed file, or none', async (t) => {
  const file = join(folder(t), 'gateway.log');
  const { log, clock } = make(t, { file });
  log.gateway.info('one');
  clock.pass(3 * DAY);
  log.gateway.info('two');
  t.equal(readFileSync(file, 'utf8').trimEnd().split('\n').length, 2);
  t.equal(make(t, { file: false }).log.file, undefined);
});
