import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { type ViewName, viewNames } from '../../projections/index.js';
import { LedgerDamaged } from '../../src/ledger/damage.js';
import type { ViewChanges } from '../../src/ledger/draft.js';
import { foldVersions } from '../../src/ledger/rebuild.js';
import { Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { asked, folder, openLedger, write } from '../support/ledger.js';
import { tamper } from '../support/tamper.js';

const POSITION = { seq: 0, at: 0, views: foldVersions() };

/** Rows of a few views as they should be. */
type Model = Map<ViewName, Map<string, string>>;

const apply = (model: Model, { view, cleared, rows }: ViewChanges): void => {
  const before = cleared ? new Map<string, string>() : (model.get(view) ?? new Map());
  for (const [key, text] of rows) {
    if (text === null) before.delete(key);
    else before.set(key, text);
  }
  model.set(view, before);
};

const picture = (store: Store) =>
  viewNames.map((view) => ({
    view,
    rows: [...store.texts(view)],
    size: store.size(view),
    got: [...store.views[view].entries()].map(([key]) => [key, JSON.stringify(store.views[view].get(key))]),
    some: [...store.views[view].entries('b')].length,
  }));

const pictureOf = (model: Model): ReturnType<typeof picture> =>
  viewNames.map((view) => {
    const rows = [...(model.get(view) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return { view, rows, size: rows.length, got: rows, some: rows.filter(([key]) => key.startsWith('b')).length };
  });

const key = fc.constantFrom('a', 'b', 'b/1', 'b/2', 'c', 'with\ttab', 'ü');
const few = fc.dictionary(key, fc.option(fc.nat().map((n) => JSON.stringify({ n, text: '\t' }))), {
  noNullPrototype: true,
});
const many = fc
  .nat()
  .map((n) => Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`b${(i * 7 + n) % 600}`, `{"n":${n}}`])));
const change = fc.record({
  view: fc.constantFrom<ViewName>('pending', 'paired', 'archives'),
  cleared: fc.boolean(),
  rows: fc.oneof({ weight: 6, arbitrary: few }, { weight: 1, arbitrary: many }),
});

t.test('nobody can tell which rows are in the databases of the views', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          changes: fc.uniqueArray(change, { selector: ({ view }) => view, maxLength: 3 }),
          again: fc.nat(5),
        }),
        {
          maxLength: 12,
        },
      ),
      fc.nat(3),
      async (commits, clears) => {
        const path = folder(t);
        const model: Model = new Map();
        let store = new Store({ path });
        const reader = new Store({ path, readOnly: true });
        for (const [n, { changes, again }] of commits.entries()) {
          const said = changes.map(({ view, cleared, rows }) => ({
            view,
            cleared: cleared && n % 4 === clears,
            rows: new Map(Object.entries(rows)),
          }));
          store.commit({ events: [], changes: said, position: POSITION });
          for (const one of said) apply(model, one);
          if (again === 0) {
            await store.close();
            store = new Store({ path });
          }
          if (again === 1) store.settle();
          reader.refresh();
          t.same(picture(store), pictureOf(model));
          if (n % 2 === 0) t.same(picture(reader), pictureOf(model));
        }
        await reader.close();
        await store.close();
      },
    ),
    { numRuns: 30 },
  );
});

t.test('a stopped gateway leaves every row in its view', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, asked('d1', 'r1'));
  await tamper(path, (db) => t.equal([...db('recent', 'string').getRange({})].length, 2, 'not at once'));
  await ledger.close();
  await tamper(path, (db) => {
    t.equal([...db('recent', 'string').getRange({})].length, 0);
    t.match(db('view:pending', 'string').get('d1'), /"r1"/);
  });
});

t.test('rows that wait for their view are not more than a reader lays over', async (t) => {
  const path = folder(t);
  const store = new Store({ path });
  const waiting = async (): Promise<number> => {
    let count = 0;
    await tamper(path, (db) => {
      count = [...db('recent', 'string').getKeys({})].length;
    });
    return count;
  };
  const rows = (from: number, count: number) =>
    new Map(Array.from({ length: count }, (_, i) => [`k${from + i}`, `{"n":${from + i}}`] as const));
  const commit = (from: number, count: number): void =>
    store.commit({
      events: [],
      changes: [{ view: 'paired', cleared: false, rows: rows(from, count) }],
      position: POSITION,
    });
  commit(0, limits.ledger.recentRows);
  t.equal(await waiting(), limits.ledger.recentRows);
  commit(5000, 1);
  t.equal(await waiting(), 0);
  t.equal(store.size('paired'), limits.ledger.recentRows + 1);
  await store.close();
});

t.test('newest rows that cannot be read: who reads is told, and a start makes the views anew', async (t) => {
  const row =
    (key: number, line: string): Parameters<typeof tamper>[1] =>
    (db) =>
      db('recent', 'string').put(key, line);
  const cases: readonly [string, Parameters<typeof tamper>[1]][] = [
    ['no line', row(1, 'nonsense')],
    ['of no view', row(1, 'sources2\td1\t{}')],
    ['one is gone', (db) => db('recent', 'string').remove(1)],
    ['none says how many', (_, root) => root.remove('recent-rows')],
    ['how many is no number', (_, root) => root.put('recent-rows', Buffer.from('x'))],
  ];
  const running = folder(t);
  const ledger = await openLedger(running);
  await write(ledger, asked('d1', 'r1'));
  for (const [name, how] of cases) {
    const path = folder(t);
    copyFileSync(join(running, 'data.mdb'), join(path, 'data.mdb'));
    const reader = new Store({ path, readOnly: true });
    t.match(reader.text('pending', 'd1'), /"r1"/, 'as it is after a kill');
    const before = picture(reader);
    await reader.close();
    await tamper(path, how);
    const told = new Store({ path, readOnly: true });
    t.throws(() => told.text('pending', 'd1'), LedgerDamaged, name);
    await told.close();
    await (await openLedger(path)).close();
    const after = new Store({ path, readOnly: true });
    t.same(picture(after), before, name);
    await after.close();
  }
  await ledger.close();
});
