import t from 'tap';
import { Store } from '../../src/ledger/store.js';
import { rootAt } from '../../src/proof/merkle.js';
import { noteText, openNote, signNote } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { nodesOf } from '../../src/proof/tile.js';
import { type DamageClass, damageClasses } from '../../src/verify/damage.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import type { Leaf } from '../../src/verify/source.js';
import { type Against, verify } from '../../src/verify/verify.js';
import { right } from '../support/either.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { ORIGIN, policyText } from '../support/log.js';
import { checkpointFor, copyOf, policy, type Recorded, recordedIn, sourceOf } from '../support/recorded.js';
import { keyOf } from '../support/tree.js';

/* One test for each class of damage: what was done to the log, what is found, and where. */

const EVENTS = 700;

interface Case {
  readonly name: string;
  readonly does: (log: Recorded) => Partial<Recorded> | undefined;
  readonly against?: Against;
  readonly finds: readonly { readonly class: DamageClass; readonly from?: number; readonly to?: number }[];
}

const at = (log: Recorded, seq: number): Leaf => log.leaves[seq - 1] as Leaf;
const changed = (leaf: Leaf): Leaf => ({
  ...leaf,
  bytes: Buffer.from(leaf.bytes.toString().replace('"v":1', '"v":2')),
});

/** The same size, another past: signed by the log itself. */
const rewritten = (log: Recorded): string => checkpointFor(log.size, Buffer.alloc(32, 1));

const rootOfFirst = (log: Recorded, size: number): Buffer =>
  rootAt(
    size,
    nodesOf(({ level, index, width }) => (log.tiles.get(`${level}/${index}`) as Buffer).subarray(0, width * 32), size),
  );

const signedBy = (n: number, text: string): string =>
  noteText({ text, signatures: [signNote(text, ORIGIN, keyOf(n))] });

const cases: readonly Case[] = [
  { name: 'nothing', does: () => undefined, finds: [] },
  {
    name: 'an event is changed',
    does: (log) => void log.leaves.splice(299, 1, changed(at(log, 300))),
    finds: [{ class: 'leaf-changed', from: 300, to: 300 }],
  },
  {
    name: 'three neighbours are changed, and one far away',
    does: (log) => {
      for (const seq of [10, 11, 12, 600]) log.leaves[seq - 1] = changed(at(log, seq));
      return undefined;
    },
    finds: [
      { class: 'leaf-changed', from: 10, to: 12 },
      { class: 'leaf-changed', from: 600, to: 600 },
    ],
  },
  {
    name: 'an event is gone',
    does: (log) => void log.leaves.splice(299, 1, undefined),
    finds: [{ class: 'leaf-missing', from: 300, to: 300 }],
  },
  {
    name: 'an event is taken out, and the others moved up',
    does: (log) => void log.leaves.splice(299, 1),
    finds: [
      { class: 'leaf-missing', from: 300, to: 300 },
      { class: 'leaf-moved', from: 301, to: 699 },
      { class: 'truncated-tail', from: 700, to: 700 },
    ],
  },
  {
    name: 'an event is put in, and the others moved down',
    does: (log) => void log.leaves.splice(299, 0, changed(at(log, 300))),
    finds: [
      { class: 'leaf-inserted', from: 300, to: 300 },
      { class: 'leaf-moved', from: 301, to: 700 },
    ],
  },
  {
    name: 'two events are swapped',
    does: (log) => {
      [log.leaves[99], log.leaves[399]] = [at(log, 400), at(log, 100)];
      return undefined;
    },
    finds: [
      { class: 'leaf-moved', from: 100, to: 100 },
      { class: 'leaf-moved', from: 400, to: 400 },
    ],
  },
  {
    name: 'two neighbours are swapped',
    does: (log) => {
      [log.leaves[99], log.leaves[100]] = [at(log, 101), at(log, 100)];
      return undefined;
    },
    finds: [
      { class: 'leaf-moved', from: 100, to: 100 },
      { class: 'leaf-moved', from: 101, to: 101 },
    ],
  },
  {
    name: 'the tail is cut off',
    does: (log) => ({ leaves: log.leaves.slice(0, 650) }),
    finds: [{ class: 'truncated-tail', from: 651, to: 700 }],
  },
  {
    name: 'the log ends before its checkpoint',
    does: (log) => ({ size: 650, root: rootOfFirst(log, 650).toString('hex') }),
    finds: [{ class: 'truncated-tail', from: 651, to: 700 }],
  },
  {
    name: 'a hash of the tree is another',
    does: (log) => {
      const tile = Buffer.from(log.tiles.get('0/1') ?? '');
      tile[0] = (tile[0] ?? 0) ^ 1;
      log.tiles.set('0/1', tile);
      return undefined;
    },
    finds: [{ class: 'tile-mismatch', from: 257, to: 257 }],
  },
  {
    name: 'a tile is missing',
    does: (log) => void log.tiles.delete('0/1'),
    finds: [{ class: 'tile-mismatch', from: 257, to: 512 }],
  },
  {
    name: 'a tile above is another',
    does: (log) => void log.tiles.set('1/0', Buffer.alloc(64)),
    finds: [{ class: 'tile-mismatch', from: 1, to: 256 }],
  },
  {
    name: 'event and tree were made to agree',
    does: (log) => ({ checkpoint: rewritten(log) }),
    finds: [{ class: 'root-mismatch', from: 1, to: 700 }],
  },
  {
    name: 'there is no checkpoint',
    does: () => ({ checkpoint: undefined }),
    finds: [{ class: 'checkpoint-missing' }],
  },
  {
    name: 'the checkpoint has two blank lines',
    does: (log) => ({ checkpoint: log.checkpoint?.replace('\n\n', '\n\n\n') }),
    finds: [{ class: 'checkpoint-malformed' }],
  },
  {
    name: 'the checkpoint is signed by another key of the same name',
    does: (log) => ({ checkpoint: signedBy(9, right(openNote(log.checkpoint ?? '')).text) }),
    against: { policy },
    finds: [{ class: 'key-unknown' }],
  },
  {
    name: 'the signature was made over something else',
    does: (log) => ({ checkpoint: log.checkpoint?.replace('\n700\n', '\n699\n') }),
    against: { policy },
    finds: [{ class: 'signature-invalid' }],
  },
  {
    name: 'the policy asks for a witness',
    does: () => undefined,
    against: { policy: right(parsePolicy(policyText('quorum w1'))) },
    finds: [{ class: 'policy-not-met' }],
  },
  {
    name: 'personal data are others',
    does: (log) => {
      const seq = log.leaves.findIndex((leaf) => leaf?.origin) + 1;
      log.leaves[seq - 1] = { ...at(log, seq), origin: Buffer.from('0123456789abcdef{"address":"198.51.100.1"}') };
      return undefined;
    },
    finds: [{ class: 'origin-changed' }],
  },
  {
    name: 'personal data are gone',
    does: (log) => {
      const seq = log.leaves.findIndex((leaf) => leaf?.origin) + 1;
      log.leaves[seq - 1] = { ...at(log, seq), origin: undefined };
      return undefined;
    },
    finds: [{ class: 'origin-missing' }],
  },
];

t.test('what was done to a log is found, and found where it was done', async (t) => {
  const whole = await recordedIn(t, EVENTS);
  for (const { name, does, against = { policy }, finds } of cases) {
    const log = copyOf(whole);
    const { sound, damage } = await verify(sourceOf({ ...log, ...does(log) }), against);
    t.equal(sound, finds.length === 0, name);
    const found = damage.map(({ class: kind, from, to }) => ({ class: kind, from, to }));
    for (const one of finds)
      t.ok(
        found.some((other) => matches(one, other)),
        `${name}: ${JSON.stringify(one)} in ${JSON.stringify(found)}`,
      );
    const others = found.filter((other) => !finds.some((one) => matches(one, other)));
    t.same(
      others.filter(({ class: kind }) => kind !== 'root-mismatch'),
      [],
      `${name}: and nothing else`,
    );
  }
});

const matches = (
  one: Case['finds'][number],
  other: { class: string; from?: number | undefined; to?: number | undefined },
): boolean => one.class === other.class && (one.from === undefined || (one.from === other.from && one.to === other.to));

t.test('older checkpoints: gone on from, rolled back, another past, another log', async (t) => {
  const log = await recordedIn(t, EVENTS);
  const against = (note: string): Against => ({ policy, older: [{ name: 'old', note }] });
  const of = (size: number, root = rootOfFirst(log, size)) => against(checkpointFor(size, root));
  for (const size of [0, 1, 2, 255, 256, 257, 512, 699, 700])
    t.match(await verify(sourceOf(log), of(size)), { sound: true, extends: [{ name: 'old', size }] }, `${size}`);
  t.match(await verify(sourceOf(log), of(701, Buffer.alloc(32))), { damage: [{ class: 'rolled-back' }] });
  t.match(await verify(sourceOf(log), of(600, Buffer.alloc(32))), { damage: [{ class: 'inconsistent-with-older' }] });
  const text = `other.example\n600\n${rootOfFirst(log, 600).toString('base64')}\n`;
  const other = noteText({ text, signatures: [signNote(text, 'other.example', keyOf(1))] });
  t.match(await verify(sourceOf(log), { older: [{ name: 'old', note: other }] }), {
    damage: [{ class: 'inconsistent-with-older', what: /another log/ }],
  });
  t.match(await verify(sourceOf(log), against('nothing')), { damage: [{ class: 'checkpoint-malformed' }] });
  const forged = signedBy(9, right(openNote(checkpointFor(600, rootOfFirst(log, 600)))).text);
  t.match(await verify(sourceOf(log), against(forged)), { damage: [{ class: 'key-unknown' }] });
});

t.test('a log that was rewritten consistently is found by any older checkpoint that somebody kept', async (t) => {
  const kept = checkpointFor(300, rootOfFirst(await recordedIn(t, EVENTS), 300));
  const path = folder(t);
  const ledger = await openLedger(path);
  for (let n = 0; n < 4; n++) await write(ledger, ...Array.from({ length: 100 }, (_, i) => ticked(n * 100 + i)));
  ledger.keep(checkpointFor(400, Buffer.from(ledger.tip.root, 'hex')));
  await ledger.close();
  const source = ledgerSource(path);
  t.match(await verify(source, { policy }), { sound: true }, 'in itself it is sound');
  t.match(await verify(source, { policy, older: [{ name: 'old', note: kept }] }), {
    sound: false,
    damage: [{ class: 'inconsistent-with-older' }],
  });
  await source.close();
});

t.test('an event behind the end of the log, in the folder of a ledger', async (t) => {
  const path = folder(t);
  const log = await recordedIn(t, 20, path);
  const store = new Store({ path });
  const position = store.position();
  if (position === undefined) throw new Error('no position');
  store.commit({ events: [{ seq: 21, bytes: at(log, 20).bytes }], changes: [], position });
  await store.close();
  const source = ledgerSource(path);
  t.match(await verify(source, {}), { damage: [{ class: 'leaf-inserted', from: 21, to: 21 }] });
  await source.close();
});

t.test('every class has its test here, or in the tests of places', async (t) => {
  const elsewhere: readonly DamageClass[] = [
    'store-unreadable',
    'event-invalid',
    'rolled-back',
    'inconsistent-with-older',
  ];
  const here = new Set(cases.flatMap(({ finds }) => finds.map((one) => one.class)));
  t.same(
    Object.keys(damageClasses)
      .filter((one) => !here.has(one as DamageClass))
      .sort(),
    [...elsewhere].sort(),
  );
});
