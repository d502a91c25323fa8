import t from 'tap';
import { Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { openNote } from '../../src/proof/note.js';
import { bundleOf, entriesPath, TILE_WIDTH, tilePath, tilesOf } from '../../src/proof/tile.js';
import { filesSource } from '../../src/verify/files-source.js';
import { Holes } from '../../src/verify/holes.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import { verify } from '../../src/verify/verify.js';
import { signedBy } from '../support/damage-cases.js';
import { right } from '../support/either.js';
import { folder, openLedger } from '../support/ledger.js';
import { checkpointFor, policy, type Recorded, recordedIn } from '../support/recorded.js';
import { tamper } from '../support/tamper.js';

/* Logs made by whoever wants the verifier to be busy for ever: what it reads is bounded by what is there, not by what is said to be there. */

const EVENTS = 700;
/** Files that are asked for of a log that has next to none; more is for ever. */
const ASKED = 3000;
const ROOT = Buffer.alloc(32, 1);

const files = (given: ReadonlyMap<string, Buffer | undefined>) => {
  let asked = 0;
  const source = filesSource('test', async (path) => {
    if (++asked > ASKED) throw new Error(`asked for ${path}, too`);
    return given.get(path);
  });
  return { source, asked: () => asked };
};

const filesOf = (log: Recorded, checkpoint: string): Map<string, Buffer | undefined> => {
  const given = new Map<string, Buffer | undefined>([['checkpoint', Buffer.from(checkpoint)]]);
  for (const tile of tilesOf(log.size)) {
    given.set(tilePath(tile), log.tiles.get(`${tile.level}/${tile.index}`));
    const first = tile.index * TILE_WIDTH;
    const leaves = log.leaves.slice(first, first + tile.width).map((leaf) => leaf?.bytes as Buffer);
    if (tile.level === 0) given.set(entriesPath(tile), bundleOf(leaves));
  }
  return given;
};

t.test('of an export that nobody signed nothing is read', async (t) => {
  const checkpoint = checkpointFor(Number.MAX_SAFE_INTEGER, ROOT);
  const forged = signedBy(9, right(openNote(checkpoint)).text);
  for (const [note, kind] of [
    [forged, 'key-unknown'],
    [checkpoint.replace('9007199254740991', '9007199254740990'), 'signature-invalid'],
    ['nothing', 'checkpoint-malformed'],
  ] as const) {
    const { source, asked } = files(new Map([['checkpoint', Buffer.from(note)]]));
    const report = await verify(await source, { policy, older: [{ name: 'old', note: checkpointFor(1, ROOT) }] });
    t.match(report, { sound: false, events: 0, extends: [] }, kind);
    t.same(
      report.damage.map((one) => one.class),
      [kind],
    );
    t.equal(asked(), 1, 'but its checkpoint');
  }
});

t.test('an export is not looked for far behind where it ends', async (t) => {
  const log = await recordedIn(t, EVENTS);
  const size = Number.MAX_SAFE_INTEGER;
  const empty = files(new Map([['checkpoint', Buffer.from(checkpointFor(size, ROOT))]]));
  for (const against of [{}, { policy }])
    t.same(told(await verify(await empty.source, against)), [
      { class: 'truncated-tail', from: 1, to: size },
      /* Of the level of the events, and of the one above. */
      { class: 'tile-mismatch', from: 1, to: limits.proof.missingBundles * TILE_WIDTH },
      { class: 'tile-mismatch', from: 1, to: limits.proof.missingBundles * TILE_WIDTH },
    ]);
  const cut = files(filesOf(log, checkpointFor(size, ROOT)));
  const damage = told(await verify(await cut.source, { policy }));
  /* Its last file is of fewer events than there should be, and so it is not the one that is asked for. */
  t.match(damage, [{ class: 'truncated-tail', from: 513, to: size }]);
  t.ok(damage.length < 5, JSON.stringify(damage));
});

t.test('a hole in an export is passed over, and what lies behind it is looked at', async (t) => {
  const log = await recordedIn(t, EVENTS);
  const given = filesOf(log, log.checkpoint ?? '');
  given.delete('tile/entries/000');
  given.delete('tile/0/000');
  given.delete('tile/entries/001');
  given.delete('tile/0/001');
  t.same(told(await verify(await files(given).source, { policy })), [
    { class: 'leaf-missing', from: 1, to: 512 },
    { class: 'tile-mismatch', from: 1, to: 512 },
    { class: 'tile-mismatch', from: 1, to: 256 },
  ]);
});

t.test('a ledger that says it has more events than there could be', async (t) => {
  for (const last of [undefined, Number.MAX_SAFE_INTEGER - 1]) {
    const path = folder(t);
    const log = await recordedIn(t, EVENTS, path);
    const store = new Store({ path });
    const position = { ...(store.position() as NonNullable<ReturnType<Store['position']>>), seq: 2 ** 53 - 1 };
    const events = last === undefined ? [] : [{ seq: last, bytes: log.leaves[0]?.bytes as Buffer }];
    store.commit({ events, changes: [], position });
    await store.close();
    const source = ledgerSource(path);
    const damage = told(await verify(source, { policy }));
    await source.close();
    t.match(damage, [{ class: 'checkpoint-missing' }, { class: 'truncated-tail', from: EVENTS + 1, to: position.seq }]);
    t.ok(damage.length < 6, JSON.stringify(damage));
  }
});

const told = ({ damage }: Awaited<ReturnType<typeof verify>>) =>
  damage.map(({ class: kind, from, to }) => ({ class: kind, from, to }));

t.test('a ledger whose position is none is unreadable, and that is said', async (t) => {
  const path = folder(t);
  await recordedIn(t, 20, path);
  const whole = { seq: 20, at: 1, root: '00'.repeat(32), views: {} };
  for (const position of [
    '{"seq"',
    'null',
    '"x"',
    JSON.stringify({ ...whole, seq: -5 }),
    JSON.stringify({ ...whole, seq: 1.5 }),
    JSON.stringify({ ...whole, seq: '20' }),
    JSON.stringify({ ...whole, seq: 1e308 }),
    JSON.stringify({ ...whole, at: null }),
    JSON.stringify({ ...whole, root: 5 }),
    JSON.stringify({ ...whole, root: '00' }),
    JSON.stringify({ ...whole, views: undefined }),
    JSON.stringify({ ...whole, views: { paired: 'x' } }),
  ]) {
    await tamper(path, (_, root) => root.put('position', Buffer.from(position)));
    t.throws(() => ledgerSource(path), { name: 'LedgerDamaged', message: /its position cannot be read/ }, position);
    await t.rejects(openLedger(path), { name: 'LedgerDamaged', message: /its position cannot be read/ }, position);
  }
});

t.test('holes without number are counted, and the first of a kind told', async (t) => {
  const holes = new Holes();
  const begun = process.cpuUsage();
  for (let n = 1; n <= 300_000; n++) holes.add({ kind: 'clock-jumped', event: n, byMs: 1 });
  t.equal(holes.all.length, 1000);
  t.equal(holes.untold.get('clock-jumped'), 299_000);
  t.comment(`${process.cpuUsage(begun).user / 1000} ms of CPU`);
});
