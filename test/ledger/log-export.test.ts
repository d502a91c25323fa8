import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { LedgerDamaged } from '../../src/ledger/damage.js';
import { exportLog } from '../../src/ledger/log-export.js';
import { fileAt } from '../../src/ledger/log-files.js';
import type { Reader } from '../../src/ledger/reader.js';
import type { Append } from '../../src/ledger/store.js';
import { checkpointText, openCheckpoint, type SignedCheckpoint } from '../../src/proof/checkpoint.js';
import { noteText, signNote, vkeyText } from '../../src/proof/note.js';
import { nodesOf, type Tile } from '../../src/proof/tile.js';
import { right } from '../support/either.js';
import { folder } from '../support/ledger.js';
import { checkpointOf, LOG_KEY, LOG_VKEY } from '../support/log.js';
import { filesIn, readWhole } from '../support/outsider.js';
import { grown, leavesOf, type Tree, tileOf } from '../support/tree.js';

/* The log as a folder: what is in it, what a second run does to it, and what it is never done to. */

const VKEY = vkeyText(LOG_VKEY);
const tree = grown(leavesOf(70_000));

/** A log in memory, as far as an export reads it. */
const logOf = ({ leaves, node }: Tree): Reader => {
  const tile = (tile: Tile): Buffer => tileOf(node)(tile);
  return {
    nodes: (size: number) => nodesOf(tile, size),
    tile,
    *appends({ after = 0, upTo = 0 }): Iterable<Append> {
      for (let seq = after + 1; seq <= upTo; seq++) yield { seq, bytes: leaves[seq - 1] as Buffer };
    },
  } as unknown as Reader;
};

const log = logOf(tree);
const signed = (size: number, of: Tree = tree): SignedCheckpoint => right(openCheckpoint(checkpointOf(of, size)));
const place = (t: Test): string => join(folder(t), 'a', 'b');
const quiet = (): void => {};
const exported = async (path: string, size: number) => right(await exportLog(log, signed(size), path, quiet));

t.test('everything that the tree of a checkpoint has, and nothing else', async (t) => {
  for (const size of [0, 1, 255, 256, 257, 600, 65_537])
    await t.test(`of ${size}`, async (t) => {
      const path = place(t);
      const { files, bytes, written, root } = await exported(path, size);
      const found = filesIn(path);
      t.equal(Object.keys(found).length, files);
      t.equal(written, files);
      t.equal(
        Object.values(found).reduce((sum, text) => sum + Buffer.from(text, 'base64').length, 0),
        bytes,
      );
      t.ok(root.equals(tree.rootAt(size)));
      const { leaves } = await readWhole((file) => readFileSync(join(path, file)), VKEY);
      t.equal(leaves.length, size);
      for (const file of Object.keys(found))
        if (!fileAt(log, signed(size), file)?.equals(readFileSync(join(path, file))))
          t.fail(`${file} as it is answered`);
    });
});

t.test('a second run writes nothing; one after the log has grown makes what a first one would', async (t) => {
  const path = place(t);
  for (const size of [3, 3, 200, 256, 700, 701, 701]) {
    await exported(path, size);
    const fresh = place(t);
    await exported(fresh, size);
    t.same(filesIn(path), filesIn(fresh), `${size}`);
  }
  t.match(await exported(path, 701), { written: 0 });
  t.match(await exported(path, 1300), { written: 3 * 2 + 2 + 1 + 1 });
});

t.test('any way of growing ends in the same folder', async (t) => {
  const sizes = fc.array(fc.integer({ min: 0, max: 1200 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(sizes, async (unsorted) => {
      const rising = [...unsorted].sort((a, b) => a - b);
      const path = place(t);
      for (const size of rising) await exported(path, size);
      const fresh = place(t);
      await exported(fresh, rising.at(-1) ?? 0);
      return JSON.stringify(filesIn(path)) === JSON.stringify(filesIn(fresh));
    }),
    { numRuns: 15 },
  );
});

t.test('what was damaged, or left by a run that was cut short, is made right', async (t) => {
  const path = place(t);
  await exported(path, 600);
  const whole = filesIn(path);
  writeFileSync(join(path, 'tile/0/000'), Buffer.alloc(8192));
  writeFileSync(join(path, 'tile/entries/001'), 'cut');
  rmSync(join(path, 'tile/1'), { recursive: true });
  writeFileSync(join(path, 'tile/0/000.77.tmp'), 'begun');
  writeFileSync(join(path, 'checkpoint.77.tmp'), 'begun');
  mkdirSync(join(path, 'tile/0/001.p'));
  writeFileSync(join(path, 'tile/0/001.p/9'), 'of a size that nobody remembers');
  t.match(await exported(path, 600), { written: 3 });
  t.same(filesIn(path), whole);
});

t.test('what somebody else put beside it stays', async (t) => {
  const path = place(t);
  await exported(path, 10);
  for (const file of ['index.html', 'tile/README', 'tile/0/notes.tmp']) writeFileSync(join(path, file), 'mine');
  await exported(path, 300);
  for (const file of ['index.html', 'tile/README', 'tile/0/notes.tmp'])
    t.equal(readFileSync(join(path, file), 'utf8'), 'mine');
});

t.test('nothing is touched where it is no export of this log, or of more of it, or of another past', async (t) => {
  const forged = grown(tree.leaves.slice(0, 600).with(100, Buffer.from('never happened')));
  const text = checkpointText({ origin: 'other.example/log', size: 3, root: tree.rootAt(3) });
  const other = noteText({ text, signatures: [signNote(text, 'other.example/log', LOG_KEY)] });
  const table: readonly (readonly [string, (path: string) => unknown, string])[] = [
    ['a folder of something else', (path) => put(path, 'letter.txt', 'dear'), 'no-export'],
    ['a checkpoint that is none', (path) => put(path, 'checkpoint', 'dear'), 'no-export'],
    ['tiles without a checkpoint', (path) => put(path, 'tile/0/000', 'x'), 'no-export'],
    ['a file', (path) => put(join(path, '..'), 'b', 'x'), 'no-export'],
    ['another log', (path) => put(path, 'checkpoint', other), 'another-log'],
    ['more of this log', (path) => put(path, 'checkpoint', checkpointOf(tree, 601)), 'longer'],
    ['more of this log, not finished', (path) => put(path, 'checkpoint.next', checkpointOf(tree, 601)), 'longer'],
    ['another past', (path) => put(path, 'checkpoint', checkpointOf(forged, 200)), 'forked'],
    ['another past of all of it', (path) => put(path, 'checkpoint', checkpointOf(forged, 600)), 'forked'],
  ];
  for (const [name, prepare, kind] of table) {
    const path = place(t);
    prepare(path);
    const before = filesIn(join(path, '..'));
    t.match(await exportLog(log, signed(600), path, quiet), { left: { kind } }, name);
    t.same(filesIn(join(path, '..')), before, name);
  }
});

const put = (path: string, file: string, text: string): void => {
  mkdirSync(join(path, file, '..'), { recursive: true });
  writeFileSync(join(path, file), text);
};

t.test('a log that is not what was signed for is not written over one that is', async (t) => {
  const path = place(t);
  await exported(path, 300);
  const before = filesIn(path);
  const changed = { ...tree, leaves: tree.leaves.with(7, Buffer.from('rewritten')) };
  await t.rejects(exportLog(logOf(changed), signed(600), path, quiet), LedgerDamaged);
  await t.rejects(
    exportLog(logOf({ ...tree, leaves: tree.leaves.slice(0, 400) }), signed(600), path, quiet),
    'or has lost some of it',
  );
  t.same(filesIn(path), before);
  const fresh = place(t);
  await t.rejects(exportLog(logOf(changed), signed(600), fresh, quiet), /not those that were signed for/);
  t.notOk(existsSync(fresh));
});

t.test('whoever reads in the middle finds what the checkpoint in place asks for', async (t) => {
  const path = place(t);
  await exported(path, 700);
  const failing = new Error('the disk is full');
  let told = 0;
  const cut = (act: string): void => {
    if (act === 'written' && ++told === 4) throw failing;
  };
  await t.rejects(exportLog(log, signed(1500), path, cut), failing);
  const { leaves } = await readWhole((file) => readFileSync(join(path, file)), VKEY);
  t.equal(leaves.length, 700);
  t.ok(existsSync(join(path, 'checkpoint.next')));
  const copy = place(t);
  cpSync(path, copy, { recursive: true });
  t.match(await exportLog(log, signed(1400), copy, quiet), { left: { kind: 'longer' } }, 'it was on its way to more');
  await exported(path, 1600);
  const fresh = place(t);
  await exported(fresh, 1600);
  t.same(filesIn(path), filesIn(fresh));
});

t.test('how far it has come is told', async (t) => {
  const told: string[] = [];
  await exportLog(log, signed(600), place(t), (act, events) => told.push(`${events} ${act}`));
  t.same(told, ['256 checked', '512 checked', '600 checked', '256 written', '512 written', '600 written']);
  t.ok(E.isRight(await exportLog(log, signed(0), place(t), () => t.fail('nothing to tell'))));
});
