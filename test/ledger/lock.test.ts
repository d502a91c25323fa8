import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { folder, openLedger } from '../support/ledger.js';
import { TestClock } from '../support/world.js';

/* One writing process per state folder; one that died without a word stands in nobody's way. */

const linux = process.platform === 'linux';

/** Whether a ledger opens while its lock names this holder, which touched it so long ago. */
const opensOver = async (t: Test, changes: object, silentMs = 0): Promise<boolean> => {
  const path = folder(t);
  const file = join(path, 'lock');
  const first = await openLedger(path);
  const holder = JSON.parse(readFileSync(file, 'utf8')) as object;
  await first.close();
  t.notOk(existsSync(file), 'given back');
  writeFileSync(file, JSON.stringify({ ...holder, ...changes }));
  const clock = new TestClock();
  const touched = (clock.now() - silentMs) / 1000;
  utimesSync(file, touched, touched);
  try {
    const ledger = await openLedger(path, { clock });
    await ledger.close();
    return true;
  } catch (error) {
    if ((error as Error).name === 'LedgerLocked') return false;
    throw error;
  }
};

const dead = spawnSync(process.execPath, ['-e', '']).pid;

t.test('who is alive keeps the lock', async (t) => {
  t.equal(await opensOver(t, {}), false);
  t.equal(await opensOver(t, {}, 3_600_000), false, 'a process that is there needs no sign of life');
});

t.test('who is dead has lost it', { skip: linux ? false : 'needs /proc' }, async (t) => {
  t.equal(await opensOver(t, { pid: dead }), true, 'no such process');
  t.equal(await opensOver(t, { startedAt: '1' }), true, 'its number belongs to another process now');
  t.equal(await opensOver(t, { boot: 'before' }), true, 'the machine was started again since');
});

t.test(
  'who cannot be looked up keeps it while it gives signs of life',
  { skip: linux ? false : 'needs /proc' },
  async (t) => {
    t.equal(await opensOver(t, { namespace: 'pid:[1]', pid: dead }, 14_000), false);
    t.equal(await opensOver(t, { namespace: 'pid:[1]', pid: dead }, 16_000), true);
  },
);

t.test('a lock that says nothing is nobody’s', async (t) => {
  const path = folder(t);
  await (await openLedger(path)).close();
  writeFileSync(join(path, 'lock'), '');
  await (await openLedger(path)).close();
});
