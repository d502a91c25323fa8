import { open } from 'lmdb';
import t from 'tap';
import { Reader } from '../../src/ledger/reader.js';
import { check, rebuild } from '../../src/ledger/rebuild.js';
import { Store } from '../../src/ledger/store.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';

const sample = async (path: string): Promise<void> => {
  const ledger = await openLedger(path);
  for (let i = 0; i < 20; i++) await write(ledger, asked(`d${i % 5}`, `r${i}`), ticked(i));
  await ledger.close();
};

const checked = async (path: string) => {
  const store = new Store({ path, readOnly: true });
  const result = check(store, new Reader(() => store));
  await store.close();
  return result;
};

const tampered = async (
  path: string,
  how: (pending: { putSync(k: string, v: string): void; removeSync(k: string): void; get(k: string): string }) => void,
) => {
  const env = open({ path, noSubdir: false, maxDbs: 64, overlappingSync: false, encoding: 'binary' });
  const pending = env.openDB('view:pending', { encoding: 'string' });
  env.transactionSync(() => how(pending as never));
  await env.close();
};

t.test('views are what the log makes of them, to the byte', async (t) => {
  const path = folder(t);
  await sample(path);
  t.match(await checked(path), { events: 40, differences: [] });
});

t.test('a row that was edited, added or dropped behind the log is found, and a rebuild mends it', async (t) => {
  const cases = [
    {
      is: 'different',
      key: 'd1',
      how: (db: { putSync(k: string, v: string): void; get(k: string): string }) =>
        db.putSync('d1', db.get('d1').replace('operator.read', 'operator.admin')),
    },
    { is: 'extra', key: 'zz', how: (db: { putSync(k: string, v: string): void }) => db.putSync('zz', '{}') },
    { is: 'missing', key: 'd2', how: (db: { removeSync(k: string): void }) => db.removeSync('d2') },
  ];
  for (const { is, key, how } of cases) {
    const path = folder(t);
    await sample(path);
    await tampered(path, how as never);
    t.same((await checked(path)).differences, [{ view: 'pending', key, is }]);
    const store = new Store({ path });
    t.equal(rebuild(store, new Reader(() => store)), 40);
    await store.close();
    t.same((await checked(path)).differences, []);
  }
});

t.test('a fold of another version is made anew at start', async (t) => {
  const path = folder(t);
  await sample(path);
  const env = open({ path, noSubdir: false, maxDbs: 64, overlappingSync: false, encoding: 'binary' });
  const pending = env.openDB<string, string>('view:pending', { encoding: 'string' });
  env.transactionSync(() => {
    const position = JSON.parse(String(env.get('position')));
    env.putSync('position', Buffer.from(JSON.stringify({ ...position, views: { ...position.views, pending: 0 } })));
    pending.clearSync();
  });
  await env.close();
  const ledger = await openLedger(path);
  t.equal(ledger.views.pending.size(), 5);
  await ledger.close();
  t.same((await checked(path)).differences, []);
});
