import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import { type Batch, Store } from '../../src/ledger/store.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { tamper } from '../support/tamper.js';
import { TestClock } from '../support/world.js';

/** A store whose next commits fail as the disk is told to. */
class FaultyStore extends Store {
  static fails: (() => Error) | undefined;
  override commit(batch: Batch): void {
    if (FaultyStore.fails !== undefined) throw FaultyStore.fails();
    super.commit(batch);
  }
}

const failure = (code: string | number, message: string) => () => Object.assign(new Error(message), { code });
const options = (clock: TestClock) => ({
  clock,
  openStore: (path: string) => new FaultyStore({ path }),
  onBug: () => {},
});
const attempt = (ledger: Awaited<ReturnType<typeof openLedger>>, n: number) =>
  ledger.decide({ decide: () => E.right([ticked(n)]), answer: () => n });

t.test('a commit that fails is a no to everybody in it, and nothing more is written until a restart', async (t) => {
  const path = folder(t);
  const clock = new TestClock();
  const ledger = await openLedger(path, options(clock));
  await write(ledger, ticked(1));
  const told: number[] = [];
  ledger.listen({ announce: (e) => told.push(e.seq) });
  FaultyStore.fails = failure(5, 'Input/output error');
  t.match(await Promise.all([attempt(ledger, 2), attempt(ledger, 3)]), [
    { left: { code: 'log-not-writable' } },
    { left: { code: 'log-not-writable' } },
  ]);
  t.match(ledger.health, { writable: false, why: 'Input/output error', until: 'restart' });
  FaultyStore.fails = undefined;
  clock.pass(60_000);
  await new Promise(setImmediate);
  t.match(await attempt(ledger, 4), { left: { code: 'log-not-writable' } }, 'even if the disk seems well again');
  t.same(told, [], 'nobody was told of what is not on the disk');
  t.equal(ledger.log.position, 1, 'reads go on');
  t.same([...ledger.log.range()].length, 1);
  await ledger.close();

  const again = await openLedger(path, options(clock));
  t.match(await attempt(again, 5), { right: 5 });
  t.equal(again.log.position, 2);
  await again.close();
});

t.test('a full disk is tried again: reopened, audited, and on it goes', async (t) => {
  const clock = new TestClock();
  const ledger = await openLedger(folder(t), options(clock));
  await write(ledger, ticked(1));
  FaultyStore.fails = failure(28, 'No space left on device');
  t.match(await attempt(ledger, 2), { left: { code: 'log-not-writable' } });
  t.match(ledger.health, { writable: false, until: 'space' });
  FaultyStore.fails = undefined;
  t.match(await attempt(ledger, 3), { left: { code: 'log-not-writable' } }, 'not before it has been looked at');
  clock.pass(1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(ledger.health, { writable: true });
  t.match(await attempt(ledger, 4), { right: 4 });
  t.same(
    [...ledger.log.range()].map((e) => (e.type === 'health.ticked' ? e.data.uptimeMs : 0)),
    [1, 4],
  );
  await ledger.close();
});

t.test('a ledger that is closed while it is reopened stays closed', async (t) => {
  const clock = new TestClock();
  let opened = 0;
  const openStore = (path: string) => {
    opened++;
    return new FaultyStore({ path });
  };
  const ledger = await openLedger(folder(t), { ...options(clock), openStore });
  FaultyStore.fails = failure(28, 'No space left on device');
  t.match(await attempt(ledger, 1), { left: { code: 'log-not-writable' } });
  FaultyStore.fails = undefined;
  clock.pass(1000);
  await ledger.close();
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(opened, 1);
});

t.test('a ledger that was halted is not written again because the disk has room', async (t) => {
  const clock = new TestClock();
  let noRoom = false;
  const openStore = (path: string) => {
    if (noRoom) throw failure(28, 'No space left on device')();
    return new FaultyStore({ path });
  };
  const ledger = await openLedger(folder(t), { ...options(clock), openStore });
  await write(ledger, ticked(1));
  FaultyStore.fails = failure(28, 'No space left on device');
  t.match(await attempt(ledger, 2), { left: { code: 'log-not-writable' } });
  FaultyStore.fails = undefined;
  noRoom = true;
  clock.pass(1000);
  ledger.halt('another process signs for a copy of this log');
  await new Promise((resolve) => setTimeout(resolve, 20));
  const halted = { writable: false, why: /another process/, until: 'restart' };
  t.match(ledger.health, halted, 'while it is being opened, which fails once more');
  noRoom = false;
  clock.pass(1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(ledger.health, halted);
  t.match(await attempt(ledger, 3), { left: { code: 'log-not-writable' } });
  t.equal(ledger.log.position, 1, 'it can be read again');
  await ledger.close();
});

t.test('an event that turns out damaged when the index catches up is no crash: nothing more is written', async (t) => {
  const path = folder(t);
  const before = await openLedger(path);
  for (let n = 1; n < 600; n++) before.record([ticked(n)]);
  await write(before, ticked(600));
  await before.close();
  await tamper(path, async (db) => {
    await db('events', 'binary').put(100, Buffer.from('{"seq"'));
    await db('meta', 'string').put('indexed', '0');
  });

  const clock = new TestClock();
  const bugs: unknown[] = [];
  const ledger = await openLedger(path, { clock, onBug: (error) => bugs.push(error) });
  clock.pass(1000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.match(ledger.health, { writable: false, why: /event 100 is damaged/ });
  t.match(await attempt(ledger, 601), { left: { code: 'log-not-writable' } });
  t.match(bugs, [{ name: 'DamagedEvent', seq: 100 }]);
  t.ok(ledger.log.event(600), 'reads go on');
  await ledger.close();
});
