import {
  closeSync,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { faultOf } from '../../src/ledger/datafile.js';
import { FreePages } from '../../src/ledger/free-pages.js';
import { folder } from '../support/ledger.js';

/* A file of LMDB may end before the last page that was ever taken, and be whole; or be cut short. */

const PAGE = 4096;

/** Takes so many pages and gives them back in one commit. */
const made = async (path: string, rows: number, rounds: number): Promise<string> => {
  mkdirSync(path, { recursive: true });
  const env = open({ path, noSubdir: false, overlappingSync: false, encoding: 'binary', maxDbs: 64 });
  const db = env.openDB<Buffer, number>('rows', { encoding: 'binary' });
  const other = env.openDB<Buffer, number>('other', { encoding: 'binary' });
  env.transactionSync(() => {
    for (let key = 0; key < 20; key++) {
      db.putSync(key, Buffer.alloc(3000));
      other.putSync(key, Buffer.alloc(300));
    }
  });
  for (let round = 0; round < rounds; round++)
    env.transactionSync(() => {
      for (let key = 100; key < 100 + rows; key++) db.putSync(key, Buffer.alloc(1500));
      for (let key = 99 + rows; key >= 100 + round; key--) db.removeSync(key);
    });
  await env.close();
  return join(path, 'data.mdb');
};

const lastPage = (file: string): number => {
  const bytes = readFileSync(file);
  return Math.max(...[0, PAGE].map((at) => Number(bytes.readBigUInt64LE(at + 144))));
};

t.test('pages at the end that were taken and given back in one commit are not missing', async (t) => {
  for (const rows of [4, 60, 3000, 9000])
    for (const rounds of [1, 3]) {
      const file = await made(join(folder(t), 'lmdb'), rows, rounds);
      t.equal(faultOf(file), undefined, `${rows} rows, ${rounds} rounds`);
      if (rounds === 1 && rows === 60)
        t.ok(statSync(file).size < PAGE * (lastPage(file) + 1), 'and the file is shorter');
    }
});

t.test('a long list of free pages lies in pages of its own', async (t) => {
  const file = await made(join(folder(t), 'lmdb'), 9000, 3);
  const bytes = readFileSync(file);
  const meta = bytes.readBigUInt64LE(152) > bytes.readBigUInt64LE(PAGE + 152) ? 0 : PAGE;
  const root = Number(bytes.readBigUInt64LE(meta + 88));
  const fd = openSync(file, 'r');
  const free = new FreePages(fd, fstatSync(fd).size, PAGE, root);
  closeSync(fd);
  const found = Array.from({ length: lastPage(file) + 1 }, (_, page) => page).filter((page) => free.has(page));
  t.ok(found.length > 3000, `${found.length} of ${lastPage(file)}`);
  for (const used of [0, 1, root]) t.notOk(free.has(used), `page ${used}`);
});

t.test('and any other is', async (t) => {
  const file = await made(join(folder(t), 'lmdb'), 60, 1);
  const cut = `${file}.cut`;
  const pages = statSync(file).size / PAGE;
  for (let left = 2; left < pages; left++) {
    copyFileSync(file, cut);
    truncateSync(cut, left * PAGE);
    t.match(faultOf(cut), /^its file was cut short: \d+ of at least \d+ bytes$/, `${left} of ${pages} pages`);
  }
  truncateSync(cut, pages * PAGE - 1);
  t.match(faultOf(cut), /cut short/);
});

t.test('a free list that is none names nothing', async (t) => {
  const file = await made(join(folder(t), 'lmdb'), 60, 1);
  const bytes = readFileSync(file);
  for (const root of [0n, 1n, 5n, 1_000_000n, (1n << 63n) - 1n]) {
    for (const meta of [0, PAGE]) bytes.writeBigUInt64LE(root, meta + 88);
    writeFileSync(file, bytes);
    t.match(faultOf(file), /cut short/, `its root is page ${root}`);
  }
});
