import t from 'tap';
import { Store } from '../../src/ledger/store.js';
import { noteText, openNote, signNote } from '../../src/proof/note.js';
import { type DamageClass, damageClasses } from '../../src/verify/damage.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import type { Leaf } from '../../src/verify/source.js';
import { type Against, verify } from '../../src/verify/verify.js';
import { at, type Case, cases, changed, EVENTS, rootOfFirst, signedBy } from '../support/damage-cases.js';
import { right } from '../support/either.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { checkpointFor, copyOf, policy, recordedIn, sourceOf } from '../support/recorded.js';
import { grown, keyOf, tileOf } from '../support/tree.js';

/* Each class of damage: what was done to the log, what is found, and where. */

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

t.test(
  'the past rewritten under a new signature, with the tiles of before left in place for whoever kept an old checkpoint',
  async (t) => {
    const log = copyOf(await recordedIn(t, EVENTS));
    const kept = checkpointFor(300, rootOfFirst(log, 300));
    log.leaves[99] = changed(at(log, 100));
    const root = grown(log.leaves.map((leaf) => leaf?.bytes as Buffer)).rootAt(EVENTS);
    const rewritten = { ...log, root: root.toString('hex'), checkpoint: checkpointFor(EVENTS, root) };
    const report = await verify(sourceOf(rewritten), { policy, older: [{ name: 'old', note: kept }] });
    t.match(
      report.damage.find((one) => one.class === 'inconsistent-with-older'),
      { from: 1, to: 300 },
    );
    t.same(report.extends, []);
  },
);

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

t.test('an event that contradicts its place, although it is what was signed for', async (t) => {
  const whole = await recordedIn(t, 20);
  const says = (seq: number, from: RegExp, to: string) => {
    const leaves = whole.leaves.map((leaf) => leaf as Leaf);
    leaves[seq - 1] = { ...at(whole, seq), bytes: Buffer.from(at(whole, seq).bytes.toString().replace(from, to)) };
    const tree = grown(leaves.map(({ bytes }) => bytes));
    const tiles = new Map([['0/0', tileOf(tree.node)({ level: 0, index: 0, width: 20 })]]);
    const root = tree.rootAt(20);
    return verify(
      sourceOf({ ...whole, leaves, tiles, root: root.toString('hex'), checkpoint: checkpointFor(20, root) }),
      { policy },
    );
  };
  const invalid = (what: RegExp) => ({ damage: [{ class: 'event-invalid', from: 7, to: 7, what }] });
  t.match(await says(7, /"seq":7/, '"seq":8'), invalid(/says that it is event 8/));
  t.match(await says(7, /"at":\d+/, '"at":5'), invalid(/earlier than the event before it/));
  t.match(await says(7, /^\{/, '['), invalid(/not an event/));
});

t.test('every class has its test here, or in the tests of places', async (t) => {
  const elsewhere: readonly DamageClass[] = [
    'store-unreadable',
    'rolled-back',
    'inconsistent-with-older',
    'view-mismatch',
    'event-invalid',
  ];
  const here = new Set(cases.flatMap(({ finds }) => finds.map((one) => one.class)));
  t.same(
    Object.keys(damageClasses)
      .filter((one) => !here.has(one as DamageClass))
      .sort(),
    [...elsewhere].sort(),
  );
});
