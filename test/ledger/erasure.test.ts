import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { type Event, type Fact, isErased, numbersIn, type Origin, type Term } from '../../events/index.js';
import { holderOf, viewNames } from '../../projections/index.js';
import { approve } from '../../src/decisions/approve.js';
import { deviceOfRequest } from '../../src/decisions/device.js';
import { erase } from '../../src/decisions/erase.js';
import { Archiver } from '../../src/ledger/archiver.js';
import { viewsAt } from '../../src/ledger/history.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { listsOf } from '../../src/ledger/lists.js';
import { seqsIn, TermKeys } from '../../src/ledger/postings.js';
import { Reader } from '../../src/ledger/reader.js';
import { check, picturesOf } from '../../src/ledger/rebuild.js';
import { type Batch, Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { admin, fresh } from '../support/people.js';
import { seeded, TestClock } from '../support/world.js';

/* Personal data go with the event that says so, from everywhere; the log, and all that follows from it, stays what it was. */

const erasing = (ledger: Ledger, events: readonly number[]) =>
  ledger.decide({
    decide: (views, _, originOf) =>
      erase(views, { subject: { of: 'address' }, events, reason: 'asked for', by: admin }, originOf),
    answer: ([event]) => event,
  });

const erased = async (ledger: Ledger, events: readonly number[]): Promise<Event | undefined> => {
  const outcome = await erasing(ledger, events);
  if (E.isLeft(outcome)) throw new Error(outcome.left.message);
  return outcome.right;
};

/** A life in which everybody has a name that is found nowhere else. */
const people = (seed: number): (() => readonly Fact[]) => {
  const next = life(seed);
  let n = 0;
  const named = (fact: Fact): Fact => {
    const origin: Origin = { ...fact.origin, displayName: `Marker-${seed}-${++n}-` };
    const personal = fact.type === 'pairing.approved' || fact.origin !== undefined;
    return personal ? ({ ...fact, origin } as Fact) : fact;
  };
  return () =>
    next().flatMap((fact) => {
      if (fact.type !== 'pairing.approved') return [named(fact)];
      const { subject, actor, data } = fact;
      const label = `Marker-${seed}-${++n}-`;
      return [
        named(fact),
        { type: 'device.renamed', subject, actor, data: { device: data.device }, origin: { label } },
      ];
    });
};

const lived = async (ledger: Ledger, facts: number, seed: number, clock?: TestClock): Promise<void> => {
  const next = people(seed);
  for (let written = 0; written < facts; written += 50) {
    await write(ledger, ...Array.from({ length: 50 }, next).flat());
    clock?.pass(limits.ledger.indexMs);
    await new Promise(setImmediate);
  }
};

const reading = async <A>(path: string, look: (store: Store, log: Reader) => A): Promise<A> => {
  const store = new Store({ path, readOnly: true });
  const log = new Reader(() => store);
  try {
    return look(store, log);
  } finally {
    await store.close();
  }
};

const viewTexts = (path: string): Promise<string> =>
  reading(path, (store) => JSON.stringify(viewNames.map((view) => [view, ...store.texts(view)])));

/** All that any database of the ledger holds as text. */
const everything = (path: string): Promise<string> =>
  reading(path, (store, log) => {
    const texts = viewNames.flatMap((view) => [...store.texts(view)].flat());
    const frames = viewNames.flatMap((view) => [...store.framesBefore(view, log.position)]);
    const events = [...log.range()].map((event) => JSON.stringify(event));
    const origins = [...log.range()].map(({ seq }) => store.origin(seq)?.toString('latin1') ?? '');
    return [...texts, ...frames, ...events, ...origins].join('\n');
  });

/** Numbers in the stored lists of a term, whatever the events say. */
const listed = (store: Store, term: Term, upTo: number): readonly number[] => {
  const keys = new TermKeys(store.salt() ?? Buffer.alloc(0));
  return [...listsOf(term, 0, upTo, keys, store)].flatMap((list) => [...seqsIn(list)]);
};

const addressOf = ({ origin }: Event): string | undefined => origin?.address;

const markersIn = (events: readonly Event[]): readonly string[] =>
  events.flatMap(({ origin }) => [origin?.displayName ?? [], origin?.label ?? []].flat());

/** Everything that must hold of a ledger after these events were erased from what it was. */
const isGone = async (t: Test, path: string, before: readonly Event[], gone: ReadonlySet<number>): Promise<void> => {
  const left = before.filter(({ seq }) => !gone.has(seq));
  const text = await everything(path);
  t.same(
    markersIn(before.filter(({ seq }) => gone.has(seq))).filter((marker) => text.includes(marker)),
    [],
    'nothing of it is anywhere',
  );
  t.ok(
    markersIn(left).every((marker) => text.includes(marker)),
    'and all else is there',
  );
  await reading(path, (store, log) => {
    const events = [...log.range({ upTo: before.at(-1)?.seq ?? 0 })];
    t.same(
      events.filter(isErased).map(({ seq }) => seq),
      [...gone].sort((a, b) => a - b),
    );
    t.same(
      events.map(({ origin: _, ...event }) => event),
      before.map(({ origin: _, ...event }) => event),
      'the log is what it was',
    );
    t.same(check(store, log).differences, [], 'the views are what the log makes of them');
  });
  await reading(path, (store, log) => {
    const upTo = before.length;
    for (const address of new Set(before.flatMap((event) => addressOf(event) ?? []))) {
      const term: Term = `address:${address}`;
      const found = [...log.query({ terms: [term], upTo })].map(({ seq }) => seq);
      const expected = left.filter((event) => addressOf(event) === address).map(({ seq }) => seq);
      if (JSON.stringify(found) !== JSON.stringify(expected)) t.same(found, expected, `${address} finds all else`);
      if (listed(store, term, upTo).some((seq) => gone.has(seq))) t.fail('a guess at the address finds them');
    }
  });
};

t.test('after erasing any events the views, now and then, are what they were', async (t) => {
  for (const seed of [1, 2]) {
    const path = folder(t);
    const random = seeded(seed);
    const clock = new TestClock();
    const ledger = await openLedger(path, { clock });
    await lived(ledger, 2500, seed, clock);
    const before = [...ledger.log.range()];
    const moments = Array.from({ length: 6 }, () => 1 + Math.floor(random() * before.length));
    const then = () =>
      reading(path, (store, log) =>
        JSON.stringify(moments.map((seq) => viewNames.map((view) => [...viewsAt(store, log, seq)[view].entries()]))),
      );
    const views = await viewTexts(path);
    const past = await then();
    const share = random();
    const gone = before.filter(({ originHash }) => originHash !== undefined && random() < share);
    const said = await erased(
      ledger,
      gone.map(({ seq }) => seq),
    );
    t.ok(said?.type === 'log.erased' && said.data.events === gone.length && gone.length > 100);
    t.same(
      said?.type === 'log.erased' && [...numbersIn(said.data.numbers)],
      gone.map(({ seq }) => seq),
    );
    const numbers = new Set(gone.map(({ seq }) => seq));
    t.equal(await viewTexts(path), views, 'no row is another');
    await isGone(t, path, before, numbers);
    t.equal(await then(), past);
    ledger.rebuild();
    await ledger.close();
    t.equal(await viewTexts(path), views, 'nor after a rebuild');
    t.equal(await then(), past);
    await isGone(t, path, before, numbers);
  }
});

t.test('what the index had only gathered goes as well, and what comes is indexed', async (t) => {
  const path = folder(t);
  const clock = new TestClock();
  const ledger = await openLedger(path, { clock });
  await lived(ledger, 200, 4);
  t.equal(ledger.log.indexed, 0);
  const before = [...ledger.log.range()];
  const gone = before.filter(({ originHash, seq }) => originHash !== undefined && seq % 2 === 0).map(({ seq }) => seq);
  await erased(ledger, gone);
  await write(ledger, asked('d1', 'r1'));
  clock.pass(limits.ledger.indexMs);
  for (let turn = 0; turn <= 201 / limits.ledger.indexRead + 1; turn++) await new Promise(setImmediate);
  t.equal(ledger.log.indexed, ledger.log.position);
  await isGone(t, path, before, new Set(gone));
  t.match([...ledger.log.query({ terms: ['request:r1'] })], [{ data: { device: 'd1' } }]);
  await ledger.close();
});

t.test('what was moved to the archive keeps its personal data beside the log, and loses them there', async (t) => {
  const path = folder(t);
  const clock = new TestClock();
  const ledger = await openLedger(path, { clock });
  await lived(ledger, 1000, 5, clock);
  const before = [...ledger.log.range()];
  await new Archiver({ ledger }).run({ before: Number.MAX_SAFE_INTEGER, by: { kind: 'gateway', rule: 'test' } });
  t.equal(ledger.views.archives.size(), 1);
  const gone = before.filter(({ type, originHash }) => type === 'connection.accepted' && originHash !== undefined);
  await erased(
    ledger,
    gone.map(({ seq }) => seq),
  );
  await isGone(t, path, before, new Set(gone.map(({ seq }) => seq)));
  await ledger.close();
});

t.test('what was looked up before is not remembered', async (t) => {
  const ledger = await openLedger(folder(t));
  const [event] = await write(ledger, asked('d1', 'r1'));
  const { seq } = event as Event;
  t.match(ledger.originOf(seq), { displayName: 'Ada' });
  await erased(ledger, [seq]);
  t.equal(ledger.originOf(seq), undefined);
  await ledger.close();
});

t.test('decisions of the same batch: who was just recorded is known, who was just erased is not', async (t) => {
  const ledger = await openLedger(folder(t));
  const [first] = await write(ledger, asked('d1', 'r1'));
  const { seq } = first as Event;
  const approving = (requestId: string) =>
    ledger.decide({
      decide: (views, moment, originOf) =>
        approve(deviceOfRequest(views, requestId, moment), { requestId, by: admin, fresh: fresh(), originOf }, moment),
      answer: ([event], views, originOf) => {
        const row = event?.type === 'pairing.approved' ? views.paired.get(event.data.device) : undefined;
        return row && holderOf(row, originOf);
      },
    });
  const outcomes = await Promise.all([
    erasing(ledger, [seq]),
    approving('r1'),
    write(ledger, asked('d2', 'r2')),
    approving('r2'),
  ]);
  t.same(outcomes[1], E.right({ address: undefined, displayName: undefined, label: undefined }));
  t.match(outcomes[3], E.right({ address: '203.0.113.9', displayName: 'Ada' }));
  await ledger.close();
});

t.test('nothing is erased without the event that says so', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, asked('d1', 'r1'));
  await ledger.close();
  const store = new Store({ path });
  const position = store.position() ?? { seq: 0, at: 0, views: {} };
  const erasure = { events: [1], drop: [], put: [] };
  t.throws(() => store.commit({ events: [], changes: [], position, erasure }), /only with the event that says so/);
  const other = { type: 'log.erased', data: { numbers: '2-9' } };
  const events = [{ seq: 2, bytes: Buffer.from(JSON.stringify(other)) }];
  t.throws(() => store.commit({ events, changes: [], position, erasure }), /only with the event that says so/);
  t.ok(store.origin(1));
  await store.close();
});

/** A store that fails at the second erasure. */
class HalfStore extends Store {
  private erasures = 0;
  override commit(batch: Batch): void {
    if (batch.erasure !== undefined && ++this.erasures === 2) throw Object.assign(new Error('EIO'), { code: 5 });
    super.commit(batch);
  }
}

t.test(
  'cut short between two commits: what is said to be gone is gone, the rest is there and can go later',
  async (t) => {
    const path = folder(t);
    const ledger = await openLedger(path, { openStore: (where) => new HalfStore({ path: where }), onBug: () => {} });
    await lived(ledger, 200, 6);
    const before = [...ledger.log.range()];
    const personal = before.filter(({ originHash }) => originHash !== undefined).map(({ seq }) => seq);
    const half = personal.slice(0, personal.length >> 1);
    await erased(ledger, half);
    t.match(await erasing(ledger, personal.slice(half.length)), E.left({ code: 'log-not-writable' }));
    await ledger.close();
    const again = await openLedger(path);
    t.same([...again.log.range()].filter(isErased).length, half.length);
    const said = await erased(again, personal);
    t.equal(said?.type === 'log.erased' && said.data.events, personal.length - half.length);
    again.rebuild();
    await again.close();
    await isGone(t, path, before, new Set(personal));
  },
);

t.test('a ledger of views that named people is made anew at its start, and read as it is before that', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, asked('d1', 'r1'), ticked(1));
  await ledger.close();
  const store = new Store({ path });
  const position = store.position() ?? { seq: 0, at: 0, views: {} };
  const old = JSON.stringify({ requestId: 'r1', device: 'd1', displayName: 'Ada', address: '203.0.113.9' });
  store.commit({
    events: [],
    changes: [{ view: 'pending', cleared: true, rows: new Map([['d1', old]]) }],
    position: { ...position, views: { ...position.views, pending: 1, paired: 1 } },
    history: { at: 2, frames: [{ view: 'pending', whole: true, rows: 1, text: `whole\nd1\t${old}` }] },
  });
  await store.close();
  await reading(path, (copy, log) => {
    const { views, viewsAt: at } = picturesOf(copy, log);
    t.match(views.pending.get('d1'), { seq: 1, superseded: [] });
    t.match(at(1).pending.get('d1'), { seq: 1, superseded: [] });
  });
  const again = await openLedger(path);
  await erased(again, [1]);
  await again.close();
  t.notMatch(await everything(path), /Ada|203\.0\.113/, 'also what is kept of earlier moments');
});
