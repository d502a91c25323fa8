import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { type Fact, subjectOf } from '../../events/index.js';
import { erase } from '../../src/decisions/erase.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { listsOf } from '../../src/ledger/lists.js';
import { type Posting, seqsIn, TermKeys } from '../../src/ledger/postings.js';
import { type Batch, Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { folder, openLedger, write } from '../support/ledger.js';
import { admin } from '../support/people.js';
import { TestClock } from '../support/world.js';

/* What an erasure costs follows from what is erased, however long the log and however busy the address. */

const ADDRESS = '203.0.113.9';

const named = (n: number): Fact => ({
  type: 'device.renamed',
  subject: subjectOf.device(`d${n}`),
  actor: { kind: 'host' },
  data: { device: `d${n}` },
  origin: { address: ADDRESS, label: `label ${n}` },
});

/** A store that counts the lists which erasures read and write anew. */
class CountingStore extends Store {
  lookups = 0;
  scans = 0;
  readonly rewritten: { readonly lists: number; readonly bytes: number }[] = [];
  override postingBefore(key: Buffer): Posting | undefined {
    this.lookups++;
    return super.postingBefore(key);
  }
  override postings(from: Buffer, before: Buffer, limit: number): readonly Posting[] {
    this.scans++;
    return super.postings(from, before, limit);
  }
  override commit(batch: Batch): void {
    const { erasure } = batch;
    if (erasure !== undefined) {
      const bytes = erasure.put.reduce((sum, { value }) => sum + value.length, 0);
      this.rewritten.push({ lists: erasure.drop.length, bytes });
    }
    super.commit(batch);
  }
}

/** A ledger whose only address is in so many lists of so many events. */
const busy = async (t: Test, lists: number, length: number) => {
  const clock = new TestClock();
  const path = folder(t);
  const store = new CountingStore({ path });
  const ledger = await openLedger(path, { clock, openStore: () => store });
  for (let list = 0; list < lists; list++) {
    await write(ledger, ...Array.from({ length }, (_, n) => named(list * length + n)));
    while (ledger.log.indexed < (list + 1) * length) {
      clock.pass(limits.ledger.indexMs);
      await new Promise(setImmediate);
    }
  }
  t.equal(ledger.log.indexed, lists * length);
  store.lookups = 0;
  store.scans = 0;
  return { ledger, store };
};

const erased = async (ledger: Ledger, events: readonly number[]): Promise<void> => {
  const outcome = await ledger.decide({
    decide: (views, _, originOf) =>
      erase(views, { subject: { of: 'address' }, events, reason: 'asked for', by: admin }, originOf),
    answer: () => undefined,
  });
  t.ok(E.isRight(outcome));
};

/** As the gateway goes about it: commit by commit. */
const allErased = async (ledger: Ledger, events: readonly number[]): Promise<void> => {
  for (let rest = events; rest.length > 0; ) {
    const some = ledger.erasedAtOnce(rest);
    t.ok(some.length > 0, 'it comes to an end');
    await erased(ledger, some);
    rest = rest.slice(some.length);
  }
};

const listed = (store: Store, upTo: number): readonly number[] =>
  [...listsOf(`address:${ADDRESS}`, 0, upTo, new TermKeys(store.salt() ?? Buffer.alloc(0)), store)].flatMap(seqsIn);

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_, n) => n + 1);

t.test('the first and the last of a busy address: the lists between them are not read', async (t) => {
  const { ledger, store } = await busy(t, 300, 3);
  await erased(ledger, [1, 3, 899]);
  t.equal(store.scans, 0);
  t.equal(store.lookups, 2, 'two in one list are looked up once');
  t.match(store.rewritten, [{ lists: 2 }]);
  t.same(
    listed(store, 900),
    upTo(900).filter((seq) => ![1, 3, 899].includes(seq)),
  );
  await ledger.close();
});

t.test('what the index does not hold yet is in no list, and neither is what has gone', async (t) => {
  const { ledger, store } = await busy(t, 2, 3);
  await erased(ledger, [2]);
  await write(ledger, named(7));
  const seq = ledger.log.position;
  t.same(ledger.erasedAtOnce([2, seq]), [2, seq]);
  await erased(ledger, [2, seq]);
  t.match(store.rewritten, [{ lists: 1 }, { lists: 0 }]);
  t.same(listed(store, seq), [1, 3, 4, 5, 6]);
  await ledger.close();
});

t.test('scattered over many lists they go in several commits, each of which writes few lists', async (t) => {
  const count = 2 * limits.erasure.lists + 10;
  const { ledger, store } = await busy(t, count, 2);
  const gone = upTo(2 * count).filter((seq) => seq % 2 === 0);
  await allErased(ledger, gone);
  t.same(
    store.rewritten.map(({ lists }) => lists),
    [limits.erasure.lists, limits.erasure.lists, 10],
  );
  t.same(
    listed(store, 2 * count),
    upTo(2 * count).filter((seq) => seq % 2 === 1),
  );
  t.equal(store.originOf(2), undefined);
  t.equal(store.originOf(2 * count), undefined);
  t.match(store.originOf(1), { address: ADDRESS });
  await ledger.close();
});

t.test('and where the lists are long, each of which writes few bytes', async (t) => {
  const length = 5000;
  const lists = 2 * Math.ceil(limits.erasure.listBytes / length);
  const { ledger, store } = await busy(t, lists, length);
  const gone = upTo(lists * length).filter((seq) => seq % 1000 === 7);
  await allErased(ledger, gone);
  t.ok(store.rewritten.length > 1);
  t.ok(store.rewritten.every(({ bytes }) => bytes <= limits.erasure.listBytes));
  t.equal(
    store.rewritten.reduce((sum, { lists }) => sum + lists, 0),
    lists,
    'no list is written twice',
  );
  t.equal(listed(store, lists * length).length, lists * length - gone.length);
  await ledger.close();
});
