import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { Event } from '../../events/index.js';
import { Store } from '../../src/ledger/store.js';
import { logOf } from '../support/gateway.js';
import { openLedger, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { openclaw, stateFolder } from '../support/process.js';
import { scene } from '../support/scene.js';

/* A log of which some events are broken still answers, and every answer says what it lacks. */

interface Damaged {
  readonly state: string;
  readonly device: string;
  readonly credential: string;
  /** Numbers of the events that were broken, and of the last one. */
  readonly broken: readonly number[];
  readonly last: number;
}

/** Overwrites the type of events where they lie in the file: it is of none that anybody knows. */
const breakEvents = (file: string, events: readonly Event[]): void => {
  const bytes = readFileSync(file);
  for (const { seq, at, type } of events) {
    const begun = `{"seq":${seq},"at":${at},"type":"${type}"`;
    const before = bytes.indexOf(begun);
    if (before === -1) throw new Error(`event ${seq} was not found`);
    for (let place = before; place !== -1; place = bytes.indexOf(begun, place + 1))
      bytes.write(`${begun.slice(0, -3)}zz"`, place);
  }
  writeFileSync(file, bytes);
};

/** A gateway that was stopped, and the log of which lacks two comings of the phone and one that came after. */
const given = async (t: Test): Promise<Damaged> => {
  const at = await scene(t);
  const phone = await at.paired('phone');
  for (let i = 0; i < 2; i++) {
    const { wire } = await at.comes(phone);
    wire.end();
    await wire.close();
  }
  await at.stop();
  const log = logOf(at.state);
  const accepted = log.filter(({ type, subject, data }) => {
    return type === 'connection.accepted' && subject !== '' && 'device' in data && data.device === phone.key.id;
  });
  const broken = accepted.slice(-2);
  const issued = log.find(({ type }) => type === 'token.issued');
  breakEvents(join(at.state, 'ledger', 'data.mdb'), broken);
  return {
    state: at.state,
    device: phone.key.id,
    credential: issued?.type === 'token.issued' ? issued.data.credential : '',
    broken: broken.map(({ seq }) => seq),
    last: log.length,
  };
};

const WHAT = 'it is of a type this program does not know';

const questions = ({
  device,
  credential,
  broken,
  last,
}: Damaged): readonly (readonly [readonly string[], RegExp])[] => [
  [['audit', 'who', device], new RegExp(`^"phone", device ${device}\n[\\s\\S]*Since then: 1 connection,`)],
  [['audit', 'log', '--device', device], /pairing\.approved/],
  [['devices', 'list', '--at', String((broken[0] ?? 0) - 1)], /Paired \(1\)\n[\s\S]*phone/],
  [['devices', 'list', '--at', String(last)], /Paired \(1\)\n[\s\S]*phone/],
  [['audit', 'credential', credential], new RegExp(`^# Blast radius: [\\s\\S]*${credential}`)],
];

t.test('with the gateway down: answered from what is good, which is said, and not on the record', async (t) => {
  const damaged = await given(t);
  const { state, broken, last } = damaged;
  const before = readFileSync(join(state, 'ledger', 'data.mdb'));
  for (const [args, out] of questions(damaged)) {
    const ended = await openclaw(state, args);
    const what = args.slice(0, 2).join(' ');
    t.equal(ended.code, 0, `${what}: ${ended.err}`);
    t.match(ended.out, out, what);
    t.match(
      ended.err,
      /event \d+ is damaged: .*Answered from what is good; that it was asked is not on the record\.$/m,
    );
  }
  for (const args of [
    ['audit', 'who', damaged.device],
    ['audit', 'log'],
  ]) {
    const { err } = await openclaw(state, args);
    const named = broken.map((seq) => `event ${seq} \\(${WHAT}\\)`).join(', ');
    t.match(err, new RegExp(`The log is damaged: ${named} cannot be read\\. .*, up to event ${last}\\.\n`));
    t.notMatch(err, /\n\s+at /, 'no stack');
  }
  const json = JSON.parse((await openclaw(state, ['audit', 'who', damaged.device, '--json'])).out);
  t.same(
    json.damaged,
    broken.map((seq) => ({ from: seq, to: seq, what: WHAT })),
  );
  t.ok(before.equals(readFileSync(join(state, 'ledger', 'data.mdb'))), 'nothing was written');
});

t.test(
  'why of a session that is open, and whose coming is damaged, is refused as what the log cannot say',
  async (t) => {
    const state = stateFolder(t);
    const path = join(state, 'ledger');
    const ledger = await openLedger(path);
    await write(ledger, ...Array.from({ length: 100 }, life(1)).flat());
    await ledger.close();
    const store = new Store({ path, readOnly: true });
    const open = new Set([...store.views.connected.entries()].map(([, { seq }]) => seq));
    await store.close();
    const came = logOf(state).findLast(({ seq }) => open.has(seq));
    if (came?.type !== 'connection.accepted') throw new Error('nobody is in');
    breakEvents(join(path, 'data.mdb'), [came]);
    const { connection } = came.data;
    const { code, out, err } = await openclaw(state, ['audit', 'why', connection, '--log', path]);
    t.equal(code, 1, err);
    t.equal(out, '');
    t.match(err, `the log cannot be read where it says how connection ${connection} came`);
    t.match(err, 'openclaw rebuild --check');
  },
);

const rowsOf = (text: string): readonly string[] => text.trimEnd().split('\n');

t.test('an export has a row for every gap', async (t) => {
  const { state, broken, last } = await given(t);
  const { code, out, err } = await openclaw(state, ['audit', 'export']);
  t.equal(code, 0, err);
  t.match(err, 'that it was read is not on the record');
  const rows = rowsOf(out).map((row) => JSON.parse(row));
  t.same(
    rows.filter(({ gap }) => gap !== undefined),
    broken.map((seq) => ({ gap: { from: seq, to: seq, why: WHAT } })),
  );
  t.same(
    rows.flatMap(({ seq, gap }) => seq ?? Array.from({ length: gap.to - gap.from + 1 }, (_, i) => gap.from + i)),
    Array.from({ length: last }, (_, i) => i + 1),
    'every number is accounted for, in order',
  );
  const csv = rowsOf((await openclaw(state, ['audit', 'export', '--format', 'csv'])).out);
  t.same(
    csv.filter((row) => row.includes(',export.gap,')).map((row) => row.split(',')[0]),
    broken.map(String),
  );
  t.equal(csv.length, last + 1);

  const file = join(state, 'out.jsonl');
  for (let i = 0; i < 2; i++) t.equal((await openclaw(state, ['audit', 'export', '--out', file])).code, 0);
  t.same(rowsOf(readFileSync(file, 'utf8')), rowsOf(out), 'and a second run adds nothing');
});

/** Every file of a folder, with what is in it. */
const contents = (folder: string): readonly (readonly [string, string])[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }): readonly [string, string] => [
      join(parentPath, name),
      readFileSync(join(parentPath, name)).toString('base64'),
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));

t.test('a copy is asked without a gateway, its keys, or a trace in the copy', async (t) => {
  const damaged = await given(t);
  const elsewhere = stateFolder(t);
  const copy = join(elsewhere, 'copy');
  mkdirSync(copy);
  cpSync(join(damaged.state, 'ledger', 'data.mdb'), join(copy, 'data.mdb'));
  const before = contents(copy).find(([file]) => file.endsWith('data.mdb'));
  for (const [args, out] of questions(damaged).filter(([[command]]) => command === 'audit')) {
    const ended = await openclaw(elsewhere, [...args, '--log', copy]);
    const what = args.slice(0, 2).join(' ');
    t.equal(ended.code, 0, `${what}: ${ended.err}`);
    t.match(ended.out, out, what);
    t.notMatch(ended.err, 'record', 'a copy has nobody who keeps a record');
  }
  t.match(
    (await openclaw(elsewhere, ['audit', 'who', damaged.device, '--log', copy])).err,
    'The log is damaged: event ',
  );
  const { out } = await openclaw(elsewhere, ['audit', 'export', '--log', copy]);
  t.equal(rowsOf(out).filter((row) => row.startsWith('{"gap":')).length, damaged.broken.length);
  const after = contents(copy);
  t.same(
    after.find(([file]) => file.endsWith('data.mdb')),
    before,
    'nothing is written',
  );
  t.same(
    after.map(([file]) => file.slice(copy.length + 1)).filter((file) => file !== 'data.mdb' && file !== 'lock.mdb'),
    [],
    'and nothing is added but the table of readers of LMDB',
  );
});
