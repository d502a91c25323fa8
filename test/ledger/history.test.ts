import t from 'tap';
import type { Views } from '../../projections/index.js';
import { viewNames } from '../../projections/index.js';
import { Draft, emptyViews } from '../../src/ledger/draft.js';
import { viewsAt } from '../../src/ledger/history.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { Reader } from '../../src/ledger/reader.js';
import { Store } from '../../src/ledger/store.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { seeded } from '../support/world.js';

/* The views as they were at any moment are those that a replay up to it makes. */

const rowsOf = (views: Views): string =>
  JSON.stringify(viewNames.map((view) => [view, [...views[view].entries()].sort()]));

const replayed = (ledger: { readonly log: Reader }, upTo: number): string => {
  const draft = new Draft(emptyViews);
  for (const event of ledger.log.range({ upTo })) draft.fold(event);
  return rowsOf(draft.views);
};

const grow = async (ledger: Ledger, facts: number, seed: number): Promise<void> => {
  const next = life(seed);
  for (let written = 0; written < facts; written += 50) await write(ledger, ...Array.from({ length: 50 }, next).flat());
};

t.test('at any moment of a long life, across restarts and a rebuild', async (t) => {
  const path = folder(t);
  const random = seeded(7);
  for (const seed of [1, 2, 3]) {
    const ledger = await openLedger(path);
    await grow(ledger, 3000, seed);
    await ledger.close();
  }
  const look = async (): Promise<void> => {
    const store = new Store({ path, readOnly: true });
    const log = new Reader(() => store);
    t.ok((store.momentBefore(log.position) ?? 0) > log.position - 2000, 'a moment was kept not long ago');
    for (let i = 0; i < 12; i++) {
      const seq = 1 + Math.floor(random() * log.position);
      t.equal(rowsOf(viewsAt(store, log, seq)), replayed({ log }, seq), `at ${seq}`);
    }
    await store.close();
  };
  await look();
  const ledger = await openLedger(path);
  ledger.rebuild();
  await ledger.close();
  await look();
});

t.test('a rebuild makes the index anew: it finds what it found before', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await grow(ledger, 3000, 4);
  const device = `device:${(7).toString(16).padStart(64, 'd')}`;
  const found = (): readonly number[] => [...ledger.log.query({ terms: [device] })].map(({ seq }) => seq);
  const before = found();
  t.ok(before.length > 20);
  ledger.rebuild();
  t.equal(ledger.log.indexed, ledger.log.position);
  t.same(found(), before);
  await ledger.close();
});

t.test('after a crash it goes on from the last moment that was kept', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, asked('d1', 'r1'), ticked(1));
  await ledger.close();
  const store = new Store({ path, readOnly: true });
  t.equal(store.momentBefore(100), 2);
  t.equal(store.momentBefore(1), undefined);
  const log = new Reader(() => store);
  t.equal(viewsAt(store, log, 0).pending.size(), 0);
  t.match(viewsAt(store, log, 1).pending.get('d1'), { requestId: 'r1' });
  await store.close();
});
