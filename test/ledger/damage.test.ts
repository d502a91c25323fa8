import { spawnSync } from 'node:child_process';
import { statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { tamper } from '../support/tamper.js';

const EVENTS = 600;

/** A ledger of some length, closed, and a way to get at its databases behind its back. */
const written = async (path: string): Promise<void> => {
  const ledger = await openLedger(path);
  for (let i = 1; i < EVENTS; i++) ledger.record([ticked(i)]);
  await write(ledger, asked('d1', 'r1'));
  await ledger.close();
};

t.test('a damaged ledger is not opened for writing, and the last good position is named', async (t) => {
  const json = (seq: number, more: object = {}) =>
    Buffer.from(
      JSON.stringify({
        seq,
        at: 1_800_000_000_000,
        type: 'health.ticked',
        v: 1,
        subject: 'gateway',
        actor: { kind: 'gateway', rule: 'x' },
        data: ticked(1).data,
        ...more,
      }),
    );
  const cases: readonly { name: string; how: Parameters<typeof tamper>[1]; lastGood: number }[] = [
    {
      name: 'an event that is not JSON',
      how: (db) => void db('events', 'binary').putSync(EVENTS - 10, Buffer.from('{"seq"')),
      lastGood: EVENTS - 11,
    },
    {
      name: 'an event with another number',
      how: (db) => void db('events', 'binary').putSync(EVENTS - 3, json(7)),
      lastGood: EVENTS - 4,
    },
    {
      name: 'an event of an unknown type',
      how: (db) => void db('events', 'binary').putSync(EVENTS - 3, json(EVENTS - 3, { type: 'no.such' })),
      lastGood: EVENTS - 4,
    },
    {
      name: 'an event of a newer schema',
      how: (db) => void db('events', 'binary').putSync(EVENTS - 3, json(EVENTS - 3, { v: 9 })),
      lastGood: EVENTS - 4,
    },
    { name: 'an event that is missing', how: (db) => void db('events', 'binary').removeSync(300), lastGood: 299 },
    {
      name: 'a tail that is missing',
      how: (db) => void db('events', 'binary').removeSync(EVENTS),
      lastGood: EVENTS - 1,
    },
    {
      name: 'an event too many',
      how: (db) => void db('events', 'binary').putSync(EVENTS + 1, json(EVENTS + 1)),
      lastGood: EVENTS + 1,
    },
    { name: 'no position', how: (_, root) => void root.removeSync('position'), lastGood: EVENTS },
  ];
  for (const { name, how, lastGood } of cases) {
    const path = folder(t);
    await written(path);
    await tamper(path, how);
    await t.rejects(openLedger(path), { name: 'LedgerDamaged', lastGood }, name);
    await t.rejects(
      openLedger(path),
      { name: 'LedgerDamaged' },
      `${name}: and looking did not mend it, nor keep the lock`,
    );
  }
});

t.test('a file that was cut short is refused, not mapped to death', async (t) => {
  const path = folder(t);
  await written(path);
  const file = join(path, 'data.mdb');
  for (const size of [statSync(file).size >> 1, 20_000, 8192]) {
    truncateSync(file, size);
    const opened = spawnSync(process.execPath, [join(import.meta.dirname, '../support/open-ledger.js'), path], {
      encoding: 'utf8',
    });
    t.equal(opened.signal, null, `at ${size} bytes: no signal`);
    t.match(opened.stdout, /LedgerDamaged/, `at ${size} bytes: says what is wrong`);
  }
  writeFileSync(file, 'this is not a database');
  const opened = spawnSync(process.execPath, [join(import.meta.dirname, '../support/open-ledger.js'), path], {
    encoding: 'utf8',
  });
  t.equal(opened.signal, null);
  t.match(opened.stdout, /LedgerDamaged/);
});
