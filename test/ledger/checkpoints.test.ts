import { cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import t, { type Test } from 'tap';
import { Checkpoints, type CheckpointsOptions } from '../../src/ledger/checkpoints.js';
import { HighWaterMark } from '../../src/ledger/high-water.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { checkpointText, openCheckpoint } from '../../src/proof/checkpoint.js';
import { keyType, noteText, openNote, signedBy, signNote, vkeyOf } from '../../src/proof/note.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { keyOf } from '../support/tree.js';

const key = keyOf(7);

const signer: CheckpointsOptions['signer'] = (origin) => ({
  vkey: vkeyOf(origin, keyType.note, key),
  sign: (text) => signNote(text, origin, key),
});

const options = (ledger: Ledger, mark?: string): CheckpointsOptions => ({
  ledger,
  newOrigin: () => 'gate.example/log',
  signer,
  mark: mark === undefined ? undefined : new HighWaterMark(mark),
});

const text = (outcome: E.Either<unknown, string>): string => {
  if (E.isLeft(outcome)) throw new Error(JSON.stringify(outcome.left));
  return outcome.right;
};

/** A ledger of so many events, which signed for all of them. */
const signedFor = async (path: string, events: number, mark?: string, from = 0): Promise<string> => {
  const ledger = await openLedger(path);
  const checkpoints = await Checkpoints.begin(options(ledger, mark));
  await write(ledger, ...Array.from({ length: events }, (_, n) => ticked(from + n)));
  const signed = text(await checkpoints.now());
  await ledger.close();
  return signed;
};

t.test('a checkpoint says how many events there are and the root of their tree, signed as the log', async (t) => {
  const ledger = await openLedger(folder(t));
  const checkpoints = await Checkpoints.begin(options(ledger));
  await write(ledger, ticked(1), ticked(2), ticked(3));
  const signed = text(await checkpoints.now());
  const opened = openCheckpoint(signed);
  if (E.isLeft(opened)) throw new Error(opened.left);
  t.match(opened.right.checkpoint, { origin: 'gate.example/log', size: 3 });
  t.equal(opened.right.checkpoint.root.toString('hex'), ledger.tip.root);
  t.ok(signedBy(opened.right.note, checkpoints.signer.vkey));
  t.equal(ledger.checkpoint, signed, 'and it is kept beside the log');
  t.equal(text(await checkpoints.upTo(2)), signed, 'one that has the event is not made twice');
  await write(ledger, ticked(4));
  t.not(text(await checkpoints.upTo(4)), signed);
  await ledger.close();
});

t.test('the name of the log is that of its first checkpoint, for ever', async (t) => {
  const path = folder(t);
  await signedFor(path, 1);
  const ledger = await openLedger(path);
  const checkpoints = await Checkpoints.begin({ ...options(ledger), newOrigin: () => 'other.example' });
  t.equal(checkpoints.origin, 'gate.example/log');
  await ledger.close();
});

t.test('nothing is signed that is not on the disk, and nothing is seen before the mark is raised', async (t) => {
  const path = folder(t);
  const mark = join(folder(t), 'mark');
  const ledger = await openLedger(path);
  const checkpoints = await Checkpoints.begin(options(ledger, mark));
  ledger.record([ticked(1)]);
  t.match(openCheckpoint(text(await checkpoints.now())), { right: { checkpoint: { size: 0 } } }, 'it only lingers yet');
  await write(ledger, ticked(2));
  rmSync(mark);
  writeFileSync(mark, 'others');
  t.match(await checkpoints.now(), { left: { code: 'log-not-writable' } });
  t.match(ledger.checkpoint === undefined ? {} : openCheckpoint(ledger.checkpoint), {
    right: { checkpoint: { size: 0 } },
  });
  t.match(ledger.health, { writable: false, why: /another process signs for a copy of this log/ });
  await ledger.close();
});

t.test('a mark that cannot be written keeps the log going, and nothing is signed', async (t) => {
  const place = folder(t);
  const ledger = await openLedger(folder(t));
  const checkpoints = await Checkpoints.begin(options(ledger, join(place, 'gone', 'mark')));
  await write(ledger, ticked(1));
  t.match(await checkpoints.now(), {
    left: { code: 'mark-unusable', message: /mark cannot be written: its folder is not there/ },
  });
  t.equal(ledger.checkpoint, undefined);
  t.same(ledger.health, { writable: true });
  await ledger.close();
});

t.test(
  'a mark that was raised by a run that was cut short before it kept the checkpoint is reached again',
  async (t) => {
    const path = folder(t);
    const mark = join(folder(t), 'mark');
    await signedFor(path, 5, mark);
    const copy = folder(t);
    cpSync(path, copy, { recursive: true });
    const ledger = await openLedger(path);
    await write(ledger, ticked(9));
    const { size, root } = ledger.tip;
    const body = checkpointText({ origin: 'gate.example/log', size, root: Buffer.from(root, 'hex') });
    writeFileSync(mark, noteText({ text: body, signatures: [signNote(body, 'gate.example/log', key)] }));
    const checkpoints = await Checkpoints.begin(options(ledger, mark));
    t.match(openCheckpoint(text(await checkpoints.now())), { right: { checkpoint: { size: 6 } } });
    await ledger.close();
  },
);

t.test('two that sign for copies of one log: the second is found out, and writes nothing more', async (t) => {
  const path = folder(t);
  const mark = join(folder(t), 'mark');
  await signedFor(path, 5, mark);
  const copy = folder(t);
  cpSync(path, copy, { recursive: true });
  rmSync(join(copy, 'lock'), { force: true });
  const ledgers = [await openLedger(path), await openLedger(copy)] as const;
  const [one, other] = await Promise.all(ledgers.map((ledger) => Checkpoints.begin(options(ledger, mark))));
  await write(ledgers[0], ticked(10));
  await write(ledgers[1], ticked(11));
  t.ok(E.isRight((await one?.now()) ?? E.left('')));
  t.match(await other?.now(), { left: { code: 'log-not-writable' } });
  t.same(ledgers[0].health, { writable: true });
  t.match(ledgers[1].health, { writable: false });
  for (const ledger of ledgers) await ledger.close();
});

const forked = async (t: Test, kind: string, make: (path: string, mark: string) => Promise<void>): Promise<void> => {
  await t.test(
    `a log that is ${kind} signs nothing until somebody puts on the record that it is to be gone on with`,
    async (t) => {
      const path = folder(t);
      const mark = join(folder(t), 'mark');
      await make(path, mark);
      const before = readFileSync(mark, 'utf8');
      const ledger = await openLedger(path);
      const { size } = ledger.tip;
      await t.rejects(Checkpoints.begin(options(ledger, mark)), { name: 'LogForked', fork: { kind } });
      t.equal(readFileSync(mark, 'utf8'), before);
      t.equal(ledger.tip.size, size);
      const accepted = await Checkpoints.accept(options(ledger, mark), async (fork) => {
        t.equal(fork.kind, kind);
        return E.right((await write(ledger, ticked(1)))[0]?.seq ?? 0);
      });
      t.match(accepted, { right: { event: size + 1 } });
      await Checkpoints.begin(options(ledger, mark));
      t.match(openCheckpoint(readFileSync(mark, 'utf8')), { right: { checkpoint: { size: size + 1 } } });
      t.match(await Checkpoints.accept(options(ledger, mark), async () => E.right(0)), { left: { code: 'no-fork' } });
      await ledger.close();
    },
  );
};

/** Signed for five more events, and then put back to what it was before. */
const putBack = async (path: string, mark: string): Promise<void> => {
  const copy = `${path}.copy`;
  await signedFor(path, 5);
  cpSync(path, copy, { recursive: true });
  await signedFor(path, 5, mark);
  rmSync(path, { recursive: true });
  renameSync(copy, path);
};

forked(t, 'rolled-back', putBack);
forked(t, 'forked', async (path, mark) => {
  await putBack(path, mark);
  await signedFor(path, 9, undefined, 100);
});
forked(t, 'another-log', async (path, mark) => {
  await signedFor(path, 3);
  writeFileSync(mark, noteText(other('other.example')));
});
forked(t, 'unreadable', async (path, mark) => {
  await signedFor(path, 3);
  writeFileSync(mark, 'nothing that anybody signed');
});

const other = (origin: string) => {
  const body = checkpointText({ origin, size: 1, root: Buffer.alloc(32) });
  return { text: body, signatures: [signNote(body, origin, key)] };
};

t.test('a log that is not what it signed last is damaged', async (t) => {
  const path = folder(t);
  await signedFor(path, 3);
  const ledger = await openLedger(path);
  const body = checkpointText({ origin: 'gate.example/log', size: 2, root: Buffer.alloc(32) });
  t.ok(ledger.keep(noteText({ text: body, signatures: [signNote(body, 'gate.example/log', key)] })));
  await t.rejects(Checkpoints.begin(options(ledger)), { name: 'LedgerDamaged' });
  await ledger.close();
});

t.test('a mark that is gone is not begun again: its disk may only be away', async (t) => {
  const path = folder(t);
  const mark = join(folder(t), 'mark');
  await signedFor(path, 3);
  await signedFor(path, 3, mark, 10);
  rmSync(mark);
  const ledger = await openLedger(path);
  await t.rejects(Checkpoints.begin(options(ledger, mark)), { name: 'LogForked', message: /is its disk mounted/ });
  t.match(await Checkpoints.accept(options(ledger, mark), async () => E.right(1)), {
    right: { fork: { kind: 'mark-missing' } },
  });
  t.ok(existsSync(mark));
  await ledger.close();
});

t.test('cut short between the first mark and the first checkpoint, a log keeps its name', async (t) => {
  const path = folder(t);
  const mark = join(folder(t), 'mark');
  const before = await openLedger(path);
  await write(before, ticked(1));
  const { size, root } = before.tip;
  const body = checkpointText({ origin: 'gate.example/log', size, root: Buffer.from(root, 'hex') });
  writeFileSync(mark, noteText({ text: body, signatures: [signNote(body, 'gate.example/log', key)] }));
  await before.close();
  const ledger = await openLedger(path);
  const checkpoints = await Checkpoints.begin({ ...options(ledger, mark), newOrigin: () => 'drawn again' });
  t.equal(checkpoints.origin, 'gate.example/log');
  t.ok(E.isRight(await checkpoints.now()));
  await ledger.close();
});

t.test('what witnesses sign is kept with the checkpoint, each once, and only with the last', async (t) => {
  const ledger = await openLedger(folder(t));
  const checkpoints = await Checkpoints.begin(options(ledger));
  await write(ledger, ticked(1));
  const first = openNote(text(await checkpoints.now()));
  if (E.isLeft(first)) throw new Error(first.left);
  const signature = { name: 'w.example', id: 7, bytes: Buffer.alloc(72) };
  await checkpoints.cosigned(first.right, [signature]);
  await checkpoints.cosigned(first.right, [signature]);
  t.equal(checkpoints.latest?.note.signatures.length, 2);
  t.match(ledger.checkpoint, /— w\.example /);
  await write(ledger, ticked(2));
  await checkpoints.now();
  await checkpoints.cosigned(first.right, [signature]);
  t.equal(checkpoints.latest?.note.signatures.length, 1);
  await ledger.close();
});
