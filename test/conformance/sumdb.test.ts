import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRight } from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { vkeyText } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { checkReceipt } from '../../src/proof/receipt.js';
import { bundleOf, entriesPath, tilePath, tilesOf } from '../../src/proof/tile.js';
import { consistencyProof, verifyConsistency } from '../../src/proof/tree-proof.js';
import { openLog } from '../../src/verify/places.js';
import { verify } from '../../src/verify/verify.js';
import { cases, EVENTS } from '../support/damage-cases.js';
import { right } from '../support/either.js';
import { checkpointOf, LOG_VKEY, policyText, receiptOf } from '../support/log.js';
import { copyOf, type Recorded, recordedIn } from '../support/recorded.js';
import { sumdb, sumdbMissing } from '../support/sumdb.js';
import { grown, leavesOf, type Tree, tileOf } from '../support/tree.js';
import { seeded } from '../support/world.js';

/*
 * A log written by src/proof alone, and checked by what checks Go's module database. Both have to say yes to what is whole, and no to
 * whatever was changed in it.
 */

const VKEY = vkeyText(LOG_VKEY);
const tree = grown(leavesOf(70_000));

const put = (folder: string, path: string, bytes: Buffer | string): string => {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};

/** The first `size` leaves as a folder in the tlog-tiles layout. */
const exported = (t: Test, tree: Tree, size: number): string => {
  const folder = t.testdir();
  put(folder, 'checkpoint', checkpointOf(tree, size, 1));
  for (const tile of tilesOf(size)) {
    put(folder, tilePath(tile), tileOf(tree.node)(tile));
    const first = tile.index * 256;
    if (tile.level === 0) put(folder, entriesPath(tile), bundleOf(tree.leaves.slice(first, first + tile.width)));
  }
  return folder;
};

const policy = right(parsePolicy(policyText()));

/** What we say of such a folder. Where a leaf is no event, that is not what is asked here. */
const sound = async (folder: string): Promise<boolean> => {
  const { damage } = await verify(await openLog(folder), { policy });
  return damage.every((one) => one.class === 'event-invalid');
};

const skip = sumdbMissing;

t.test('it finds every log whole', { skip }, (t) => {
  for (const size of [0, 1, 2, 255, 256, 257, 600, 70_000])
    t.test(`of ${size}`, async (t) => {
      const folder = exported(t, tree, size);
      t.equal(sumdb(folder, VKEY), `ok ${size} ${tree.rootAt(size).toString('base64')}`);
      t.ok(await sound(folder));
    });
  t.end();
});

t.test('it follows the log from any older checkpoint, and believes its receipts', { skip }, (t) => {
  const size = 600;
  const folder = exported(t, tree, size);
  const hashes = (oldSize: number) =>
    consistencyProof(oldSize, size, tree.node).map((hash) => `${hash.toString('base64')}\n`);
  for (const oldSize of [1, 2, 3, 255, 256, 257, 512, 599, 600]) {
    const old = put(folder, 'old', checkpointOf(tree, oldSize));
    const consistency = put(folder, 'consistency', hashes(oldSize).join(''));
    const receipt = put(folder, 'receipt', receiptOf(tree, oldSize - 1, size, 1));
    t.match(sumdb('-old', old, '-consistency', consistency, '-receipt', receipt, folder, VKEY), /^ok 600 /);
  }
  t.end();
});

t.test('neither of us takes another past for the same', { skip }, (t) => {
  const size = 600;
  const folder = exported(t, tree, size);
  const forged = grown(tree.leaves.slice(0, size).with(100, Buffer.from('never happened')));
  const proof = consistencyProof(300, size, tree.node);
  const old = put(folder, 'old', checkpointOf(forged, 300));
  const consistency = put(folder, 'consistency', proof.map((hash) => `${hash.toString('base64')}\n`).join(''));
  t.match(sumdb('-old', old, '-consistency', consistency, folder, VKEY), /^bad: consistency: /);
  t.notOk(verifyConsistency(300, size, forged.rootAt(300), tree.rootAt(size), proof));
  t.end();
});

/** Each with one bit of one byte turned. */
const flipped = (bytes: Buffer, random: () => number): Buffer => {
  const changed = Buffer.from(bytes);
  const at = Math.floor(random() * bytes.length);
  changed.writeUInt8(changed.readUInt8(at) ^ (1 << Math.floor(random() * 8)), at);
  return changed;
};

t.test('one bit of any file is noticed by both', { skip }, async (t) => {
  const random = seeded(11);
  const folder = exported(t, tree, 300);
  for (const path of [...tilesOf(300)].flatMap((tile) =>
    tile.level === 0 ? [tilePath(tile), entriesPath(tile)] : [tilePath(tile)],
  ))
    for (let round = 0; round < 12; round++) {
      const whole = readFileSync(join(folder, path));
      put(folder, path, flipped(whole, random));
      t.match(sumdb(folder, VKEY), /^bad: (entries|root|tiles): /, path);
      t.notOk(await sound(folder), path);
      put(folder, path, whole);
    }
  t.ok(await sound(folder));
});

/*
 * Where we part: Go reads base64 whose last bits are not zero, and of several signatures by one key looks at the first alone. What one bit
 * can make of a checkpoint or a receipt is the former, in a signature: we refuse it, and nothing that Go refuses do we accept.
 */
const sameSignatures = (one: string, other: string): boolean => {
  const signatures = (note: string) =>
    [...note.matchAll(/^— (\S+) (\S+)$/gm)].map(([, name, text = '']) => [name, Buffer.from(text, 'base64')]);
  return JSON.stringify(signatures(one)) === JSON.stringify(signatures(other));
};

/** A log of the verifier's tests as a folder. */
const written = (folder: string, { leaves, tiles, checkpoint, size }: Recorded): string => {
  if (checkpoint !== undefined) put(folder, 'checkpoint', checkpoint);
  for (const tile of tilesOf(size)) {
    const hashes = tiles.get(`${tile.level}/${tile.index}`);
    if (hashes !== undefined) put(folder, tilePath(tile), hashes);
    const part = leaves.slice(tile.index * 256, tile.index * 256 + tile.width);
    if (tile.level > 0 || part.includes(undefined) || part.length < tile.width) continue;
    put(folder, entriesPath(tile), bundleOf(part.map((leaf) => leaf?.bytes ?? Buffer.alloc(0))));
  }
  return folder;
};

t.test('what is done to a log in the tests of the verifier', { skip }, async (t) => {
  const whole = await recordedIn(t, EVENTS);
  for (const { name, does, against, finds } of cases) {
    /* Personal data are not part of the files, and Go knows nothing of witnesses. */
    if (finds.some((one) => one.class.startsWith('origin-') || one.class === 'policy-not-met')) continue;
    const log = copyOf(whole);
    const folder = written(t.testdir(), { ...log, ...does(log) });
    const theirs = sumdb(folder, VKEY);
    const { damage } = await verify(await openLog(folder), against ?? { policy });
    t.equal(theirs.startsWith('ok'), damage.length === 0, `${name}: ${theirs}; ${JSON.stringify(damage.slice(0, 3))}`);
    t.equal(finds.length === 0, damage.length === 0, name);
  }
});

t.test('one bit of the checkpoint', { skip }, async (t) => {
  const random = seeded(12);
  const folder = exported(t, tree, 20);
  // A cosignature means nothing to either: Go ignores the lines of keys that it was not given, as we do.
  const whole = checkpointOf(tree, 20);
  for (let round = 0; round < 100; round++) {
    const changed = flipped(Buffer.from(whole), random);
    put(folder, 'checkpoint', changed);
    const theirs = sumdb(folder, VKEY);
    t.notOk(await sound(folder), theirs);
    if (theirs.startsWith('ok'))
      t.ok(sameSignatures(changed.toString(), whole), 'the same signature, written differently');
  }
});

t.test('one bit of a receipt', { skip }, (t) => {
  const random = seeded(13);
  const folder = exported(t, tree, 20);
  const whole = receiptOf(tree, 13, 20);
  for (let round = 0; round < 150; round++) {
    const changed = flipped(Buffer.from(whole), random).toString();
    const theirs = sumdb('-receipt', put(folder, 'receipt', changed), folder, VKEY);
    const ours = checkReceipt(changed, policy);
    if (isRight(ours))
      t.ok(theirs.startsWith('ok') && ours.right.leaf.equals(tree.leaves[13] as Buffer), 'the same leaf');
    else if (theirs.startsWith('ok')) t.ok(sameSignatures(changed, whole), ours.left.why);
    else t.match(theirs, /^bad: receipt: /);
  }
  t.end();
});
