import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { LastTransaction } from '../../src/ledger/last-transaction.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { Origins } from '../../src/ledger/origins.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { straceMissing } from '../support/strace.js';
import { TestClock } from '../support/world.js';

/** Does what another process does that opens the log and is overtaken by commits meanwhile: the last transaction is an earlier one for all. */
const setBack = (t: Test, path: string, by: number): void => {
  const fd = openSync(join(path, 'lock.mdb'), 'r+');
  const last = Buffer.alloc(8);
  readSync(fd, last, 0, 8, 8);
  last.writeBigUInt64LE(last.readBigUInt64LE() - BigInt(by));
  writeSync(fd, last, 0, 8, 8);
  /* Not before the ledger is closed, as this process would let go of what it has locked there. */
  t.teardown(() => closeSync(fd));
};

const attempt = (ledger: Ledger, n: number) =>
  ledger.decide({ decide: () => E.right([ticked(n)]), answer: ([event]) => event?.seq });

const ticks = (ledger: Ledger): readonly number[] =>
  [...ledger.log.range()].map((e) => (e.type === 'health.ticked' ? e.data.uptimeMs : 0));

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, n) => n + 1);

const passed = async (clock: TestClock, ms: number): Promise<void> => {
  clock.pass(ms);
  await new Promise((resolve) => setTimeout(resolve, 20));
};

for (const by of [1, 2, 3, 4])
  t.test(`a log that others set back by ${by}: nothing that was answered is undone, and it goes on`, async (t) => {
    const path = folder(t);
    const ledger = await openLedger(path);
    for (const n of upTo(20)) await write(ledger, ticked(n));
    setBack(t, path, by);
    t.match(await Promise.all([attempt(ledger, 21), attempt(ledger, 22)]), [{ right: 21 }, { right: 22 }]);
    t.match(await attempt(ledger, 23), { right: 23 });
    t.same(ticks(ledger), upTo(23));
    t.same(ledger.health, { writable: true });
    await ledger.close();
    const again = await openLedger(path);
    t.same(ticks(again), upTo(23));
    await again.close();
  });

t.test('a decision sees the last commit, and what it remembers is of it, even if others were set back', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  for (const n of upTo(20)) await write(ledger, asked(`d${n}`, `r${n}`));
  setBack(t, path, 1);
  t.match(ledger.views.pending.get('d20'), { requestId: 'r20' }, 'of what was written last the old row is not read');
  t.equal(
    ledger.latest(() => ledger.views.pending.size()),
    20,
  );
  setBack(t, path, 1);
  const seen = await ledger.decide({
    decide: (views) => E.right([ticked(views.pending.size())]),
    answer: ([event], views) => [
      event?.type === 'health.ticked' && event.data.uptimeMs,
      [...views.pending.entries()].length,
    ],
  });
  t.same(seen, E.right([20, 20]));
  await ledger.close();
});

t.test('what was erased with the last commit is not read, even if it still could be', (t) => {
  const stored = Buffer.concat([Buffer.alloc(16), Buffer.from(JSON.stringify({ displayName: 'Ada' }))]);
  const origins = new Origins(() => stored, true);
  const ada = origins.of(1);
  t.same(ada, { displayName: 'Ada' });
  origins.forget([1]);
  t.equal(origins.of(1), undefined);
  t.same(origins.of(2), ada);
  t.end();
});

t.test(
  'set back after the start, while nothing is asked, before it is closed, and before the next start',
  async (t) => {
    const path = folder(t);
    const clock = new TestClock();
    const before = await openLedger(path);
    for (const n of upTo(20)) await write(before, ticked(n));
    await before.close();
    const ledger = await openLedger(path, { clock });
    setBack(t, path, 1);
    t.match(await attempt(ledger, 21), { right: 21 });
    setBack(t, path, 1);
    await passed(clock, 1000);
    t.same(ticks(ledger), upTo(21), 'readers see the last event again');
    setBack(t, path, 1);
    const late = attempt(ledger, 22);
    await ledger.close();
    t.match(await late, { right: 22 });
    setBack(t, path, 1);
    const again = await openLedger(path);
    t.same(ticks(again), upTo(22));
    await again.close();
  },
);

const OPENER = fileURLToPath(new URL('../support/opener.js', import.meta.url));
const OPENINGS = 20;
/** Between what an opening reads of the file and what it does with it lie so many µs. */
const DELAYED = ['-f', '-o', '/dev/null', '-e', 'trace=pread64', '-e', 'inject=pread64:delay_exit=10000'];

const ended = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    let said = '';
    child.stdout?.on('data', (data) => {
      said += data;
    });
    child.on('close', () => resolve(said));
  });

t.test('other processes open the log again and again while it is written', { skip: straceMissing }, async (t) => {
  let setBacks = 0;
  const { wasSetBack } = LastTransaction.prototype;
  t.intercept(LastTransaction.prototype, 'wasSetBack', {
    value(this: LastTransaction, number: number) {
      const is = wasSetBack.call(this, number);
      if (is) setBacks++;
      return is;
    },
  });
  const path = folder(t);
  const ledger = await openLedger(path);
  const openers = [1, 2].map(() =>
    ended(
      spawn('strace', [...DELAYED, process.execPath, OPENER, path, String(OPENINGS)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    ),
  );
  let open = true;
  const opened = Promise.all(openers).finally(() => {
    open = false;
  });
  const answered: number[] = [];
  for (let n = 1; open; n++) {
    const outcome = await attempt(ledger, n);
    t.match(outcome, { right: n });
    answered.push(n);
  }
  t.same(await opened, [`${OPENINGS}\n`, `${OPENINGS}\n`], 'they read what is at most one commit old');
  t.ok(setBacks > 0, 'it was set back');
  t.same(ticks(ledger), answered);
  await ledger.close();
  const again = await openLedger(path);
  t.same(ticks(again), answered);
  await again.close();
});
