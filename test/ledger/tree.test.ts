import fc from 'fast-check';
import t from 'tap';
import { Reader } from '../../src/ledger/reader.js';
import { Store } from '../../src/ledger/store.js';
import { replant } from '../../src/ledger/tree.js';
import { EMPTY_ROOT, leafHash } from '../../src/proof/merkle.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import { verify } from '../../src/verify/verify.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { policy } from '../support/recorded.js';
import { tamper } from '../support/tamper.js';
import { rootByDefinition } from '../support/tree.js';

const leavesOf = (store: Store): readonly Buffer[] =>
  store.slice(1, store.extent().last, 1_000_000).map(({ bytes }) => bytes);

const rootOf = (leaves: readonly Buffer[]): Buffer => (leaves.length === 0 ? EMPTY_ROOT : rootByDefinition(leaves));

const looked = async <T>(path: string, look: (store: Store) => T): Promise<T> => {
  const store = new Store({ path, readOnly: true });
  try {
    return look(store);
  } finally {
    await store.close();
  }
};

t.test('the position says the root of all events, whatever batches they came in', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
      async (runs) => {
        const path = folder(t);
        for (const batches of runs) {
          const ledger = await openLedger(path);
          for (const count of batches) await write(ledger, ...Array.from({ length: count }, (_, i) => ticked(i)));
          await ledger.close();
        }
        await looked(path, (store) => {
          const leaves = leavesOf(store);
          t.equal(store.position()?.root ?? EMPTY_ROOT.toString('hex'), rootOf(leaves).toString('hex'));
          for (let at = 0; at < leaves.length; at += 256)
            t.ok(
              store.tile(0, at / 256)?.equals(Buffer.concat(leaves.slice(at, at + 256).map(leafHash))),
              `tile ${at / 256}`,
            );
        });
      },
    ),
    { numRuns: 25 },
  );
});

t.test('levels above: each hash is the root of a whole tile below', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  for (let batch = 0; batch < 70; batch++)
    await write(ledger, ...Array.from({ length: 1000 }, (_, i) => ticked(batch * 1000 + i)));
  await ledger.close();
  await looked(path, (store) => {
    const leaves = leavesOf(store);
    t.equal(store.position()?.root, rootOf(leaves).toString('hex'));
    const whole = Math.floor(leaves.length / 256);
    const roots = Array.from({ length: whole }, (_, i) => rootOf(leaves.slice(i * 256, (i + 1) * 256)));
    t.ok(store.tile(1, 0)?.equals(Buffer.concat(roots.slice(0, 256))));
    t.ok(store.tile(1, 1)?.equals(Buffer.concat(roots.slice(256))));
    t.ok(store.tile(2, 0)?.equals(rootOf(leaves.slice(0, 65_536))));
  });
  const again = await openLedger(path);
  await write(again, ticked(1));
  await again.close();
  await looked(path, (store) =>
    t.equal(store.position()?.root, rootOf(leavesOf(store)).toString('hex'), 'and it goes on'),
  );
});

t.test('a log from before there was a tree gets one at its next start', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  for (let i = 0; i < 700; i++) ledger.record([ticked(i)]);
  await write(ledger, ticked(700));
  await ledger.close();
  const before = await looked(path, (store) => store.position());
  await tamper(path, async (db, root) => {
    await db('tree', 'binary').clearAsync();
    await root.remove('newest');
    await root.remove('position');
    const { root: _, ...position } = before ?? {};
    await db('meta', 'string').put('position', JSON.stringify(position));
  });
  await (await openLedger(path)).close();
  t.same(await looked(path, (store) => store.position()), before);
});

const lately = async (path: string): Promise<void> => {
  const ledger = await openLedger(path);
  await write(ledger, ...Array.from({ length: 300 }, (_, i) => ticked(i)));
  for (let n = 300; n < 310; n++) await write(ledger, ticked(n));
  await ledger.close();
};

const tileAndPosition = (store: Store) => ({ tile: store.tile(0, 1), position: store.position() });

t.test('a log that has the unfinished tile and the position where an older version wrote them goes on', async (t) => {
  const path = folder(t);
  await lately(path);
  const now = await looked(path, tileAndPosition);
  t.equal(now.tile?.length, 54 * 32);
  await tamper(path, async (db, root) => {
    t.equal(db('tree', 'binary').get([0, 1]).length, 44 * 32, 'the newest leaves are not with their tile');
    await db('tree', 'binary').put([0, 1], now.tile);
    await db('meta', 'string').put('position', String(root.get('position')));
    for (const row of ['newest', 'position']) await root.remove(row);
  });
  t.same(await looked(path, tileAndPosition), now, 'read as it is');
  const ledger = await openLedger(path);
  await write(ledger, ticked(1));
  await ledger.close();
  await looked(path, (store) => {
    const leaves = leavesOf(store);
    t.equal(leaves.length, 311);
    t.equal(store.position()?.root, rootOf(leaves).toString('hex'));
    t.ok(store.tile(0, 1)?.equals(Buffer.concat(leaves.slice(256).map(leafHash))));
  });
  await tamper(path, (db) => t.equal(db('meta', 'string').get('position'), undefined, 'one position and no more'));
});

t.test('leaves of the newest commits are compared and mended like any other', async (t) => {
  const short = /has \d+ bytes instead of 1728/;
  const cases: readonly [string, (row: Buffer) => Buffer | undefined, RegExp, RegExp][] = [
    ['another hash', (row) => Buffer.from(row).fill(0, 6 + 32, 6 + 64), /./, /event 302 is damaged/],
    ['cut short', (row) => row.subarray(0, 6 + 64), short, /event 303 is damaged/],
    ['nothing', (row) => row.subarray(0, 3), short, /event 301 is damaged/],
    ['gone', () => undefined, short, /event 301 is damaged/],
    [
      'of another place',
      (row) => Buffer.concat([Buffer.from([0, 0, 0, 0, 2, 9]), row.subarray(6)]),
      short,
      /event 301/,
    ],
  ];
  for (const [name, how, what, says] of cases) {
    const path = folder(t);
    await lately(path);
    await tamper(path, async (_, root) => {
      const row = how(root.get('newest'));
      await (row === undefined ? root.remove('newest') : root.put('newest', row));
    });
    const source = ledgerSource(path);
    const { damage } = await verify(source, { policy });
    await source.close();
    t.match(
      damage.filter(({ class: kind }) => kind === 'tile-mismatch'),
      [{ what }],
      `${name}: verify says where`,
    );
    await t.rejects(openLedger(path), { name: 'LedgerDamaged', message: says }, name);
  }
});

t.test('a rebuild that is cut short leaves the tree as it was', async (t) => {
  const path = folder(t);
  await lately(path);
  const whole = await looked(path, tileAndPosition);
  await tamper(path, (_, root) => root.put('newest', Buffer.concat([root.get('newest'), Buffer.alloc(32 * 20)])));
  const store = new Store({ path });
  const position = store.position();
  t.ok(position);
  const commit = store.commit.bind(store);
  let commits = 0;
  store.commit = (batch) => {
    if (commits++ > 0) throw new Error('cut short');
    commit(batch);
  };
  t.throws(() => position && replant(store, new Reader(() => store), position), /cut short/);
  await store.close();
  t.same(await looked(path, tileAndPosition), whole);
  await (await openLedger(path)).close();
});

t.test('what is not as the tree has it is not opened for writing', async (t) => {
  const cases: readonly [string, Parameters<typeof tamper>[1], RegExp][] = [
    [
      'an event of the tail with other data',
      async (db) => {
        const events = db('events', 'binary');
        const bytes = Buffer.from(events.get(290) as Buffer);
        bytes[bytes.indexOf('"uptimeMs":') + 11] = 0x37;
        await events.put(290, bytes);
      },
      /event 290 is damaged: it is not what the tree/,
    ],
    [
      'a tile that is missing',
      (db) => db('tree', 'binary').remove([0, 1]),
      /event 257 is damaged: it is not what the tree/,
    ],
    [
      'a tile with another hash',
      (db) => db('tree', 'binary').put([1, 0], Buffer.alloc(32)),
      /its tree does not give the root/,
    ],
  ];
  for (const [name, how, says] of cases) {
    const path = folder(t);
    const ledger = await openLedger(path);
    await write(ledger, ...Array.from({ length: 300 }, (_, i) => ticked(i)));
    await ledger.close();
    await tamper(path, how);
    await t.rejects(openLedger(path), { name: 'LedgerDamaged', message: says }, name);
  }
});

t.test('a log from before there was a tree can be read as it is', async (t) => {
  const path = folder(t);
  await tamper(path, (db) => db('events', 'binary').put(1, Buffer.from('{}')));
  await looked(path, (store) => {
    t.equal(store.tile(0, 0), undefined);
    t.equal(store.views.paired.size(), 0);
    t.same([...store.views.paired.entries()], []);
    t.equal(store.position(), undefined);
  });
});

t.test('a rebuild mends tiles, and leaves a log alone whose events are others than they were', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  await write(ledger, ...Array.from({ length: 700 }, (_, i) => ticked(i)));
  await ledger.close();
  const whole = await looked(path, (store) => store.tile(0, 0));
  await tamper(path, (db) => db('tree', 'binary').put([0, 0], Buffer.alloc(8192)));
  const mended = await openLedger(path);
  mended.rebuild();
  await mended.close();
  t.same(await looked(path, (store) => store.tile(0, 0)), whole);

  await tamper(path, async (db) => {
    const events = db('events', 'binary');
    await events.put(
      100,
      Buffer.from((events.get(100) as Buffer).toString().replace('"uptimeMs":99', '"uptimeMs":98')),
    );
  });
  const changed = await openLedger(path);
  t.throws(() => changed.rebuild(), { name: 'LedgerDamaged', message: /audit verify says which/ });
  await changed.close();
});
