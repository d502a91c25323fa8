import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import * as E from 'fp-ts/lib/Either.js';
import { open } from 'lmdb';
import t, { type Test } from 'tap';
import { type Event, termsOf } from '../../events/index.js';
import { type ArchivedSegment, RETENTION, type Views, viewNames } from '../../projections/index.js';
import { hold, release } from '../../src/decisions/hold.js';
import { Archiver, type ArchiverOptions, type Wanted } from '../../src/ledger/archiver.js';
import { type Damage, isDamage, SegmentUnreadable } from '../../src/ledger/damage.js';
import { viewsAt } from '../../src/ledger/history.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { Reader } from '../../src/ledger/reader.js';
import { check } from '../../src/ledger/rebuild.js';
import { compressionOf, framed, unframed } from '../../src/ledger/segment.js';
import { type Batch, Store } from '../../src/ledger/store.js';
import { limits } from '../../src/limits.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { seeded, TestClock } from '../support/world.js';

/* Old ticks and connections lie in files, and nobody who reads the log can tell. */

const BY = { kind: 'gateway', rule: 'retention' } as const;
const SPAN_MS = 100 * 60_000;
const HALF = 1_800_000_000_000 + SPAN_MS / 2;
const ADMIN = { kind: 'host', osUser: 'ada' } as const;

/** A life with ticks in it, over a hundred minutes. */
const lived = async (path: string, facts: number, seed = 1): Promise<void> => {
  const clock = new TestClock();
  const ledger = await openLedger(path, { clock });
  const next = life(seed);
  for (let written = 0; written < facts; written += 50) {
    await write(ledger, ...Array.from({ length: 45 }, next).flat(), ...Array.from({ length: 5 }, (_, n) => ticked(n)));
    clock.pass((SPAN_MS * 50) / facts);
  }
  await ledger.close();
};

/** A clock that stands at the end of that life. */
const later = (): TestClock => {
  const clock = new TestClock();
  clock.pass(SPAN_MS);
  return clock;
};

const archived = async (ledger: Ledger, more: Partial<Wanted> & Omit<ArchiverOptions, 'ledger'> = {}) => {
  const archiver = new Archiver({ ledger, ...more });
  const outcome = await archiver.run({ before: Number.MAX_SAFE_INTEGER, by: BY, ...more });
  if (E.isLeft(outcome)) throw new Error(outcome.left.message);
  return outcome.right;
};

/** Moves everything that may be moved, and closes. */
const movedIn = async (path: string, more: Parameters<typeof archived>[1] = {}) => {
  const ledger = await openLedger(path, { clock: later() });
  const done = await archived(ledger, more);
  await ledger.close();
  return done;
};

const reading = async <T>(path: string, read: (store: Store, log: Reader) => T, told?: (damage: Damage) => void) => {
  const store = new Store({ path, readOnly: true });
  try {
    return read(store, new Reader(() => store, told));
  } finally {
    await store.close();
  }
};

const segmentsOf = (path: string): Promise<readonly ArchivedSegment[]> =>
  reading(path, (store) => [...store.views.archives.entries()].map(([, row]) => row));

const rowsOf = (views: Views): string =>
  JSON.stringify(viewNames.map((view) => [view, [...views[view].entries()].sort()]));

/** Everything that can be asked of a log up to an event, as far as a sample goes. */
const answers = (path: string, upTo: number): Promise<string> =>
  reading(path, (store, log) => {
    const random = seeded(5);
    const place = (): number => 1 + Math.floor(random() * upTo);
    const events = [...log.range({ upTo })];
    const some = Array.from({ length: 25 }, () => events[place() - 1] as Event);
    const terms = [...new Set(some.slice(0, 6).flatMap((event) => [...termsOf(event)]))];
    const stretches = Array.from({ length: 8 }, () => [place(), place()].sort((a, b) => a - b) as [number, number]);
    return JSON.stringify({
      events,
      single: some.map(({ seq }) => log.event(seq)),
      times: some.map(({ at }) => [Math.min(upTo, log.seqAt(at)), log.seqAt(at - 1)]),
      stretches: stretches.map(([after, to]) => [...log.range({ after, upTo: to })].length),
      found: terms.map((term) => [...log.query({ terms: [term], upTo })].map(({ seq }) => seq)),
      both: some.slice(0, 5).map((e) => [...log.query({ terms: [...termsOf(e)], upTo })].map(({ seq }) => seq)),
      back: terms.slice(0, 20).map((term) => [...log.backwards({ terms: [term], upTo })].map(({ seq }) => seq)),
      backwards: stretches.map(([after, to]) => [...log.backwards({ after, upTo: to })].map(({ seq }) => seq)),
      views: stretches.map(([seq]) => rowsOf(viewsAt(store, log, seq))),
    });
  });

/** As by a life in which nothing was moved: of the log as it was, and of all that is asked of it. */
const sameAfter = async (t: Test, path: string, move: () => Promise<unknown>): Promise<void> => {
  const upTo = await reading(path, (_, log) => log.position);
  const before = await answers(path, upTo);
  await move();
  t.ok((await answers(path, upTo)) === before, 'every answer is the same');
  t.same(
    (await reading(path, (store, log) => check(store, log))).differences,
    [],
    'the views are what the log makes of them',
  );
  const ledger = await openLedger(path, { clock: later() });
  t.same(ledger.unreadable, [], 'the start finds nothing amiss');
  ledger.rebuild();
  await ledger.close();
  t.ok((await answers(path, upTo)) === before, 'also after a rebuild');
};

const ofLog = (path: string): Promise<readonly Event[]> =>
  reading(path, (_, log) => [...log.stored()].map(({ event }) => event));

t.test('what was moved is read as before, at any place and by any question', async (t) => {
  for (const seed of [1, 2]) {
    const path = folder(t);
    await lived(path, 2000, seed);
    await sameAfter(t, path, async () => {
      const { events, segments } = await movedIn(path, { before: HALF });
      t.ok(events > 500 && segments.length === 1);
    });
    await sameAfter(t, path, () => movedIn(path));
    const rows = await segmentsOf(path);
    t.equal(rows.length, 2);
    t.same(
      readdirSync(join(path, 'archive')),
      rows.map(({ segment }) => segment),
      'files sort as their numbers do',
    );
    const left = await ofLog(path);
    t.ok(left.length > 100);
    t.notOk(
      left.some(({ type }) => /^(connection|health)\./.test(type)),
      'decisions stayed, and nothing else',
    );
  }
});

t.test('in many segments, by number and by size, and again from where it stopped', async (t) => {
  const path = folder(t);
  await lived(path, 2000);
  const segment = { events: 200, bytes: 60_000 };
  await sameAfter(t, path, async () => {
    const dry = await movedIn(path, { dryRun: true, segment });
    t.same((await segmentsOf(path)).length, 0, 'a dry run moves nothing');
    t.notOk(existsSync(join(path, 'archive')));
    const done = await movedIn(path, { segment });
    t.same(dry, done, 'and says what a run will do');
    t.ok(done.segments.length > limits.archive.opened);
    t.ok(done.segments.some(({ events }) => events < segment.events));
    t.ok(done.segments.every(({ events, rawBytes }) => events <= 200 && rawBytes <= 60_000 + 10 * events));
    t.same(await movedIn(path), { segments: [], events: 0 }, 'nothing is moved twice');
  });
});

t.test('a log that goes on beside its archive: followed, indexed, asked', async (t) => {
  const path = folder(t);
  const clock = later();
  const ledger = await openLedger(path, { clock });
  const next = life(3);
  const told: number[] = [];
  const over = new AbortController();
  const follower = (async () => {
    for await (const chunk of ledger.follow(0, over.signal)) told.push(...chunk.map(({ seq }) => seq));
  })();
  for (let i = 0; i < 20; i++) {
    await write(ledger, ...Array.from({ length: 100 }, next).flat());
    clock.pass(limits.ledger.indexMs);
    await new Promise(setImmediate);
    await archived(ledger);
  }
  t.equal(ledger.views.archives.size(), 20);
  t.same(
    told,
    Array.from({ length: ledger.log.position }, (_, n) => n + 1),
  );
  t.equal([...ledger.log.query({ terms: ['type:log.archived'] })].length, 20);
  t.equal(
    ledger.views.retention.get(RETENTION)?.upTo,
    [...ledger.log.range()].findLast((e) => e.type.startsWith('c'))?.seq,
  );
  over.abort();
  await follower;
  await ledger.close();
  t.same((await reading(path, (store, log) => check(store, log))).differences, []);
});

t.test('what the index does not hold yet stays', async (t) => {
  const ledger = await openLedger(folder(t));
  await write(ledger, ticked(1), ticked(2));
  t.match(await archived(ledger), { events: 0 });
  await ledger.close();
});

/** A store whose commit fails when something is to go from the log. */
class KeepingStore extends Store {
  override commit(batch: Batch): void {
    if ((batch.drop ?? []).length > 0) throw Object.assign(new Error('Input/output error'), { code: 5 });
    super.commit(batch);
  }
}

t.test('a crash between the file and the commit loses nothing, and leaves nothing for long', async (t) => {
  const path = folder(t);
  await lived(path, 500);
  await sameAfter(t, path, async () => {
    const ledger = await openLedger(path, {
      clock: later(),
      openStore: (where) => new KeepingStore({ path: where }),
      onBug: () => {},
    });
    await t.rejects(archived(ledger), /log not writable/);
    await t.rejects(archived(ledger), /log not writable/, 'what the commit left is not known: nothing is taken away');
    await ledger.close();
    t.equal(readdirSync(join(path, 'archive')).length, 1, 'the file is there');
    t.equal((await segmentsOf(path)).length, 0, 'and nobody refers to it');
  });
  writeFileSync(join(path, 'archive', '000000000000001-000000000000009.gz.77.tmp'), 'cut sh');
  writeFileSync(join(path, 'archive', 'notes.txt'), 'mine');
  await sameAfter(t, path, () => movedIn(path, { before: HALF }));
  const [row] = await segmentsOf(path);
  t.same(
    readdirSync(join(path, 'archive')),
    [row?.segment, 'notes.txt'],
    'the next run took it away, and nothing else',
  );
});

t.test('a file of which the log does not know is kept if its events are nowhere else', async (t) => {
  const path = folder(t);
  await lived(path, 500);
  await movedIn(path);
  const [row] = await segmentsOf(path);
  const env = open({ path, noSubdir: false, maxDbs: 64, overlappingSync: false, encoding: 'binary' });
  await env.openDB('view:archives', { encoding: 'string' }).clearAsync();
  await env.close();
  t.ok(
    (await reading(path, (store, log) => check(store, log))).differences.length > 0,
    'the check finds the view short',
  );
  const ledger = await openLedger(path, { clock: later() });
  t.match([...ledger.views.archives.entries()], [[/1/, row]], 'the start makes the view anew from the log');
  await archived(ledger);
  t.ok(existsSync(join(path, 'archive', row?.segment ?? '')));
  await ledger.close();
});

t.test('nothing goes from the log without the row that says where it is', async (t) => {
  const path = folder(t);
  await lived(path, 50);
  const store = new Store({ path });
  const position = store.position() ?? { seq: 0, at: 0, views: {} };
  t.throws(() => store.commit({ events: [], drop: [1], changes: [], position }), /only with the row/);
  t.ok(store.event(1));
  await store.close();
});

t.test('a segment that is missing, damaged or another one', async (t) => {
  const origin = folder(t);
  await lived(origin, 3000);
  await movedIn(origin, { before: HALF });
  await movedIn(origin);
  const [first, second] = (await segmentsOf(origin)) as [ArchivedSegment, ArchivedSegment];
  const whole = await reading(origin, (_, log) => [...log.range()]);
  const left = await ofLog(origin);
  const cases: readonly { name: string; how: (file: string, other: string) => void; seen: boolean; what: RegExp }[] = [
    { name: 'missing', how: (file) => rmSync(file), seen: true, what: /missing/ },
    { name: 'cut short', how: (file) => truncateSync(file, 100), seen: true, what: /100 bytes instead of/ },
    { name: 'foreign', how: (file, other) => cpSync(other, file), seen: true, what: /bytes instead of/ },
    {
      name: 'with one bit turned',
      how: (file) => {
        const bytes = readFileSync(file);
        bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
      seen: false,
      what: /SHA-256/,
    },
  ];
  for (const { name, how, seen, what } of cases) {
    await t.test(name, async (t) => {
      const path = folder(t);
      cpSync(origin, path, { recursive: true });
      const file = join(path, 'archive', second.segment);
      how(file, join(path, 'archive', first.segment));
      await reading(path, (_, log) => {
        t.throws(() => [...log.range()], { name: 'SegmentUnreadable', from: second.from, to: second.to, what });
        t.throws(() => log.event(second.from), { name: 'SegmentUnreadable' });
        t.equal([...log.range({ upTo: first.to })].length, first.to, 'what lies before it is read');
      });
      const told: Damage[] = [];
      await reading(
        path,
        (store, log) => {
          const events = [...log.range(), ...log.range()];
          const gone = (e: Event): boolean =>
            e.seq >= second.from && e.seq <= second.to && !left.some((l) => l.seq === e.seq);
          const rest = whole.filter((event) => !gone(event));
          t.same(
            events.map(({ seq }) => seq),
            [...rest, ...rest].map(({ seq }) => seq),
            'all else is read',
          );
          t.equal(rest.length, whole.length - second.events);
          t.doesNotThrow(() => viewsAt(store, log, whole.length));
        },
        (damage) => told.push(damage),
      );
      t.match(
        told,
        [{ name: 'SegmentUnreadable', segment: second.segment, from: second.from, to: second.to }],
        'told once',
      );
      t.ok(told.every(isDamage));
      await t.rejects(
        reading(path, (store, log) => check(store, log)),
        { name: 'SegmentUnreadable' },
      );
      const ledger = await openLedger(path, { clock: later() });
      t.same(
        ledger.unreadable.map(({ segment }) => segment),
        seen ? [second.segment] : [],
        'it starts, and says so',
      );
      await write(ledger, ticked(1));
      t.throws(() => ledger.rebuild(), { name: 'SegmentUnreadable' }, 'views are not made of half a log');
      await ledger.close();
    });
  }
  await t.test('also where the views have to be made anew to start', async (t) => {
    const path = folder(t);
    cpSync(origin, path, { recursive: true });
    rmSync(join(path, 'archive', first.segment));
    const env = open({ path, noSubdir: false, maxDbs: 64, overlappingSync: false, encoding: 'binary' });
    const position = JSON.parse(String(env.get('position')));
    await env.put('position', Buffer.from(JSON.stringify({ ...position, views: { ...position.views, archives: 0 } })));
    await env.close();
    const paired = await reading(origin, (store) => [...store.views.paired.entries()]);
    const ledger = await openLedger(path, { clock: later() });
    t.same([...ledger.views.paired.entries()], paired, 'who may connect is not in the archive');
    t.match(ledger.unreadable, [{ segment: first.segment }]);
    await ledger.close();
  });
});

t.test('a file that comes back is read again', async (t) => {
  const path = folder(t);
  await lived(path, 500);
  await movedIn(path);
  const [row] = await segmentsOf(path);
  const file = join(path, 'archive', row?.segment ?? '');
  renameSync(file, `${file}.away`);
  const ledger = await openLedger(path, { clock: later() });
  t.throws(() => ledger.log.event(row?.from ?? 0), { name: 'SegmentUnreadable' });
  renameSync(`${file}.away`, file);
  t.equal(ledger.log.event(row?.from ?? 0)?.seq, row?.from);
  await ledger.close();
});

t.test('a compression that this Node does not know names the segment', async (t) => {
  const path = folder(t);
  await lived(path, 200);
  const gzip = compressionOf('gzip');
  if (gzip === undefined) throw new Error('no gzip');
  await movedIn(path, { compression: { ...gzip, encoding: 'zstd' } });
  const [row] = await segmentsOf(path);
  await reading(path, (_, log) =>
    t.throws(() => log.event(row?.from ?? 0), {
      name: 'SegmentUnreadable',
      segment: row?.segment,
      what: /zstd|does not hold/,
    }),
  );
});

t.test('by gzip, and by zstd where Node has it', async (t) => {
  for (const encoding of ['gzip', 'zstd'] as const) {
    const compression = compressionOf(encoding);
    t.equal(compression !== undefined, encoding === 'gzip' || 'zstdCompress' in zlib);
    if (compression === undefined) {
      t.comment(`${encoding}: this Node has none`);
      continue;
    }
    const path = folder(t);
    await lived(path, 500);
    await sameAfter(t, path, () => movedIn(path, { compression }));
    t.match(await segmentsOf(path), [{ encoding, segment: encoding === 'gzip' ? /\.gz$/ : /\.zst$/ }]);
  }
});

t.test('a segment that does not read back as it was written leaves the log as it is', async (t) => {
  const path = folder(t);
  await lived(path, 200);
  const gzip = compressionOf('gzip');
  if (gzip === undefined) throw new Error('no gzip');
  const before = (await ofLog(path)).length;
  const ledger = await openLedger(path, { clock: later() });
  await t.rejects(
    archived(ledger, { compression: { ...gzip, unpack: async () => Buffer.from('x') } }),
    /does not read back/,
  );
  t.match(ledger.health, { writable: true });
  await ledger.close();
  t.equal((await ofLog(path)).length, before);
});

t.test('a hold stops it, also in the middle, and a release lets it go on', async (t) => {
  const path = folder(t);
  await lived(path, 500);
  const ledger = await openLedger(path, { clock: later() });
  const decide = (how: typeof hold | typeof release, reason?: string) =>
    ledger.decide({ decide: (views) => how(views, { by: ADMIN, reason }), answer: (events) => events });
  t.match(await decide(release), { right: [] }, 'there is nothing to release');
  t.match(await decide(hold, 'a case is open'), { right: [{ type: 'log.held', data: { reason: 'a case is open' } }] });
  t.match(await decide(hold, 'another'), { right: [] }, 'the hold in force stays');
  t.match(ledger.views.retention.get(RETENTION), { upTo: 0, hold: { reason: 'a case is open', by: { kind: 'host' } } });
  const archiver = new Archiver({ ledger });
  const wanted = { before: Number.MAX_SAFE_INTEGER, by: BY };
  t.match(await archiver.run(wanted), { left: { code: 'archive-held' } });
  t.match(await archiver.run({ ...wanted, dryRun: true }), { right: { segments: [{}] } }, 'asking is free');
  const [held] = [...ledger.log.query({ terms: ['type:log.held'] })];
  t.match(await decide(release), { right: [{ type: 'log.released', cause: held?.seq }] });

  const running = archiver.run(wanted);
  const stopping = decide(hold);
  t.match(await running, { left: { code: 'archive-held' } }, 'the commit asks again');
  await stopping;
  t.equal(ledger.views.archives.size(), 0);
  await decide(release);
  const both = await Promise.all([archiver.run(wanted), archiver.run(wanted)]);
  t.match(
    both,
    [{ right: { segments: [{}] } }, { right: { segments: [] } }],
    'two runs do not get in the way of each other',
  );
  await ledger.close();
  t.match(await ledger.path, path);
});

t.test('a hold is for admins', async (t) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  const by = {
    kind: 'connection',
    connection: 'c',
    method: 'token',
    role: 'operator',
    scopes: ['operator.read'],
  } as const;
  for (const how of [hold, release])
    t.match(await ledger.decide({ decide: (views) => how(views, { by }), answer: () => undefined }), {
      left: { code: 'missing-scope' },
    });
  await ledger.close();
});

t.test('who stops it waits for the segment that is being made', async (t) => {
  const path = folder(t);
  await lived(path, 500);
  const ledger = await openLedger(path, { clock: later() });
  const archiver = new Archiver({ ledger });
  const run = archiver.run({ before: Number.MAX_SAFE_INTEGER, by: BY });
  await archiver.stop();
  t.match(await run, { right: { segments: [] } });
  t.match(await archiver.run({ before: Number.MAX_SAFE_INTEGER, by: BY }), { right: { segments: [] } });
  await ledger.close();
});

t.test('frames: what is put in comes out, and what was cut short is no segment', async (t) => {
  const moved = [1, 2, 300, 2 ** 40].map((seq) => ({ seq, bytes: Buffer.from(`event ${seq}`) }));
  const raw = framed(moved);
  t.same(unframed(raw), moved);
  for (let size = 1; size < raw.length; size++) {
    const cut = raw.subarray(0, size);
    const whole = moved.some((_, n) => framed(moved.slice(0, n)).length === size);
    if (!whole) t.throws(() => unframed(cut), `at ${size}`);
  }
  t.ok(isDamage(new SegmentUnreadable({ segment: 's', from: 1, to: 2 }, 'gone')));
});
