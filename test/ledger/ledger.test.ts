import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import type { Event } from '../../events/index.js';
import { refusal } from '../../src/errors.js';
import { type Batch, Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { TestClock } from '../support/world.js';

t.test('facts become events: numbered without gaps, read back as written, after a restart too', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, ticked(1), asked('d1', 'r1'));
  await write(ledger, { ...ticked(2), cause: 'previous' }, { ...ticked(3), cause: 'previous' });
  const live = [...ledger.log.range()];
  t.same(
    live.map(({ seq, type, cause }) => [seq, type, cause]),
    [
      [1, 'health.ticked', undefined],
      [2, 'pairing.requested', undefined],
      [3, 'health.ticked', undefined],
      [4, 'health.ticked', 3],
    ],
  );
  t.match(live[1], { origin: { displayName: 'Ada' }, originHash: /^[0-9a-f]{64}$/ });
  await ledger.close();

  const again = await openLedger(path);
  t.same([...again.log.range()], live);
  t.match(again.views.pending.get('d1'), { requestId: 'r1', seq: live[1]?.seq });
  t.match(again.originOf(live[1]?.seq ?? 0), { displayName: 'Ada' });
  t.notMatch(JSON.stringify([...again.views.pending.entries()]), /Ada|203\.0\.113/, 'views know nobody');
  t.equal((await write(again, ticked(4)))[0]?.seq, 5);
  await again.close();
});

t.test('personal data is beside the log, not in it', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, asked('d1', 'r1'));
  await ledger.close();
  const store = new Store({ path, readOnly: true });
  const bytes = String(store.event(1));
  t.notMatch(bytes, /Ada|203\.0\.113\.9/);
  t.match(bytes, /"origin":"[0-9a-f]{64}"/);
  t.match(String(store.origin(1)?.subarray(16)), /Ada/);
  await store.close();
});

t.test('commands of one batch see what the ones before them did', async (t) => {
  const ledger = await openLedger(folder(t));
  const claim = () =>
    ledger.decide({
      decide: (views) =>
        views.pending.get('d1') === undefined ? E.right([asked('d1', 'r1')]) : E.left(refusal('unknown-request')),
      answer: (events) => events.length,
    });
  const outcomes = await Promise.all([claim(), claim(), claim()]);
  t.same(
    outcomes.map((o) => E.isRight(o)),
    [true, false, false],
  );
  t.equal(ledger.log.position, 1);
  await ledger.close();
});

t.test('a refusal can leave facts behind, and they are on the record before it is told', async (t) => {
  const ledger = await openLedger(folder(t));
  const outcome = await ledger.decide({
    decide: () => E.left({ ...refusal('unknown-device'), facts: [ticked(1)] }),
    answer: () => undefined,
  });
  t.match(outcome, { _tag: 'Left', left: { code: 'unknown-device' } });
  t.equal(ledger.log.position, 1);
  await ledger.close();
});

t.test('a command that throws changes nothing and harms nobody', async (t) => {
  const bugs: unknown[] = [];
  const ledger = await openLedger(folder(t), { onBug: (error) => bugs.push(error) });
  const good = (n: number) => ledger.decide({ decide: () => E.right([ticked(n)]), answer: ([event]) => event?.seq });
  const bad = (facts: readonly ReturnType<typeof ticked>[]) =>
    ledger.decide({
      decide: () => E.right(facts),
      answer: () => {
        throw new Error('boom');
      },
    });
  const huge = {
    ...asked('d2', 'r2'),
    data: { ...asked('d2', 'r2').data, scopes: ['x'.repeat(70_000)] },
  } as ReturnType<typeof ticked>;
  const outcomes = await Promise.all([
    good(1),
    bad([ticked(2), asked('d1', 'r1') as ReturnType<typeof ticked>]),
    bad([huge]),
    good(3),
  ]);
  t.match(outcomes, [{ right: 1 }, { left: { code: 'internal' } }, { left: { code: 'internal' } }, { right: 2 }]);
  t.equal(bugs.length, 2);
  t.equal(ledger.views.pending.size(), 0);
  t.same(
    [...ledger.log.range()].map((e) => (e.type === 'health.ticked' ? e.data.uptimeMs : e.type)),
    [1, 3],
  );
  await ledger.close();
});

t.test('told in order: who listens, who asked, and then what it ends', async (t) => {
  const ledger = await openLedger(folder(t));
  const told: string[] = [];
  ledger.listen({ announce: (e) => told.push(`announce ${e.seq}`), enforce: (e) => told.push(`enforce ${e.seq}`) });
  const commit = (name: string, facts: number) =>
    new Promise<void>((resolve) =>
      ledger.commit(
        { decide: () => E.right(Array.from({ length: facts }, (_, i) => ticked(i))), answer: () => name },
        (outcome) => {
          told.push(`answer ${E.isRight(outcome) ? outcome.right : ''}`);
          resolve();
        },
      ),
    );
  await Promise.all([commit('a', 2), commit('b', 1)]);
  t.same(told, [
    'announce 1',
    'announce 2',
    'answer a',
    'enforce 1',
    'enforce 2',
    'announce 3',
    'answer b',
    'enforce 3',
  ]);
  await ledger.close();
});

t.test('follow: history, cutover and live, with nothing missed or told twice', async (t) => {
  const ledger = await openLedger(folder(t));
  for (let i = 1; i <= 2500; i++) ledger.record([ticked(i)]);
  await write(ledger, ticked(2501));
  const stop = new AbortController();
  const seen: number[] = [];
  const done = (async () => {
    for await (const chunk of ledger.follow(100, stop.signal)) {
      for (const { seq } of chunk) seen.push(seq);
      if (seen.length % 7 === 0) void write(ledger, ticked(0));
      if (seen.length >= 2900) stop.abort();
    }
  })();
  for (let i = 2502; i <= 3000; i++) {
    void write(ledger, ticked(i));
    if (i % 50 === 0) await new Promise(setImmediate);
  }
  await done;
  t.same(
    seen,
    Array.from({ length: seen.length }, (_, i) => 101 + i),
  );
  t.ok(seen.length >= 2900);
  await ledger.close();
});

t.test('found by subject and by type, also where the index trails the log', async (t) => {
  const clock = new TestClock();
  const ledger = await openLedger(folder(t), { clock });
  const found = (query: Parameters<typeof ledger.log.query>[0]) =>
    [...ledger.log.query(query)].map((e: Event) => e.seq);
  for (let i = 1; i <= 30; i++) await write(ledger, i % 3 === 0 ? asked(`d${i % 2}`, `r${i}`) : ticked(i));
  clock.pass(1000);
  await new Promise(setImmediate);
  for (let i = 31; i <= 40; i++) await write(ledger, i % 3 === 0 ? asked(`d${i % 2}`, `r${i}`) : ticked(i));
  const asks = Array.from({ length: 40 }, (_, i) => i + 1).filter((i) => i % 3 === 0);
  t.same(found({ terms: ['type:pairing.requested'] }), asks);
  t.same(
    found({ terms: ['device:d1'] }),
    asks.filter((i) => i % 2 === 1),
  );
  t.same(found({ terms: ['device:d1', 'type:health.ticked'] }), []);
  t.same(
    found({ terms: ['type:pairing.requested'], after: 10, upTo: 35 }),
    asks.filter((i) => i > 10 && i <= 35),
  );
  t.same(found({ after: 37 }), [38, 39, 40]);
  await ledger.close();
});

t.test('one writing process per folder', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path, { purpose: 'gateway' });
  await t.rejects(openLedger(path), { name: 'LedgerLocked', holder: { pid: process.pid, purpose: 'gateway' } });
  await ledger.close();
  const next = await openLedger(path);
  await next.close();
});

t.test('a clock that jumps is an event, and time in the log never runs backwards', async (t) => {
  const clock = new TestClock();
  const path = folder(t);
  const ledger = await openLedger(path, { clock });
  const [first] = await write(ledger, ticked(1));
  clock.set(-3_600_000);
  await write(ledger, ticked(2));
  clock.pass(1000);
  await write(ledger, ticked(3));
  clock.set(7_200_000);
  await write(ledger, ticked(4));
  const events = [...ledger.log.range()];
  t.same(
    events.map((e) => (e.type === 'gateway.clock-jumped' ? e.data.byMs : e.at - (first?.at ?? 0))),
    [0, -3_600_000, 0, 0, 7_200_000, 3_601_000],
  );
  await ledger.close();
  clock.set(-7_200_000);
  const back = await openLedger(path, { clock });
  await write(back, ticked(5));
  t.match([...back.log.range({ after: 6 })], [{ type: 'gateway.clock-jumped' }, { type: 'health.ticked' }]);
  await back.close();
});

t.test('deadlines go on while a clock that was set back makes the time of events stand still', async (t) => {
  const clock = new TestClock();
  const ledger = await openLedger(folder(t), { clock });
  const moment = () =>
    new Promise<{ at: number; now: number }>((resolve) =>
      ledger.commit(
        {
          decide: (_, m) => {
            resolve(m);
            return E.right([ticked(0)]);
          },
          answer: () => undefined,
        },
        () => {},
      ),
    );
  const before = await moment();
  clock.set(-3_600_000);
  clock.pass(60_000);
  const after = await moment();
  t.equal(after.at, before.at);
  t.equal(after.now, before.now + 60_000);
  await ledger.close();
});

/** A store that says how often it was written to, and how far its index was then. */
class CountingStore extends Store {
  commits = 0;
  override commit(batch: Batch): void {
    this.commits++;
    super.commit(batch);
  }
}

t.test('what trails the log is written when it is quiet, and costs a busy log no commit of its own', async (t) => {
  const clock = new TestClock();
  let store: CountingStore | undefined;
  const openStore = (path: string): Store => {
    store = new CountingStore({ path });
    return store;
  };
  const ledger = await openLedger(folder(t), { clock, openStore });
  const { quietEvents, lingerMs, indexMs } = limits.ledger;
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

  ledger.record([ticked(1)]);
  await write(ledger, ticked(2));
  clock.pass(lingerMs);
  await turn();
  t.equal(store?.commits, 1, 'a fact that has gone along with others does not go again');

  for (let n = 2; n < quietEvents + 2; n++) ledger.record([ticked(n)]);
  await write(ledger, ticked(quietEvents + 2));
  clock.pass(indexMs);
  await turn();
  t.equal(store?.indexed(), 0, 'while much comes it waits');
  clock.pass(indexMs);
  await turn();
  t.equal(store?.indexed(), ledger.log.position, 'and when it is quiet all of it is indexed');
  await ledger.close();
});
