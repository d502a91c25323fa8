import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import { evidenceIn } from '../../src/forensics/evidence.js';
import { durationOf, seqOf, stretchOf, timeOf } from '../../src/forensics/moments.js';
import { Store } from '../../src/ledger/store.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { TestClock } from '../support/world.js';

/* Times as people write them, and which events lie in a stretch of them. */

const NOW = Date.UTC(2026, 3, 1, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

t.test('a time in each of its forms', async (t) => {
  const at = Date.UTC(2026, 2, 14, 9, 12);
  const forms: readonly (readonly [said: string, ms: number])[] = [
    ['2026-03-14T09:12:00Z', at],
    ['2026-03-14t09:12:00z', at],
    ['2026-03-14T10:12:00+01:00', at],
    ['2026-03-14T04:42:00-04:30', at],
    ['2026-03-14T09:12:00.250Z', at + 250],
    ['2026-03-14 09:12', at],
    ['2026-03-14T09:12:00', at],
    [' 2026-03-14T09:12Z ', at],
    ['2026-03-14', Date.UTC(2026, 2, 14)],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    [String(at / 1000), at],
    [String(at), at],
    ['now', NOW],
    ['2h ago', NOW - 2 * HOUR],
    ['2 hours ago', NOW - 2 * HOUR],
    ['1 week ago', NOW - 7 * DAY],
    ['999999d ago', 0],
  ];
  for (const [said, ms] of forms) t.same(timeOf(said, NOW), E.right(ms), said);
});

t.test('a length of time in each of its forms', async (t) => {
  const forms: readonly (readonly [said: string, ms: number])[] = [
    ['90d', 90 * DAY],
    ['12h', 12 * HOUR],
    ['30m', HOUR / 2],
    ['45s', 45_000],
    ['2w', 14 * DAY],
    ['3 days', 3 * DAY],
    ['5 min', 300_000],
    ['1 Hour', HOUR],
    ['0d', 0],
  ];
  for (const [said, ms] of forms) t.same(durationOf(said), E.right(ms), said);
});

t.test('everything else is refused, with the forms there are', async (t) => {
  const times = [
    '',
    'last tuesday',
    '14.03.2026',
    '2026-3-14',
    '2026-03-14T9:12',
    '2026-02-30',
    '2026-02-30T10:00Z',
    '2026-13-01',
    '2026-03-14T25:00:00Z',
    '2026-03-14T09:12+99:00',
    '2026-03-14Z',
    '12',
    '#12',
    '-5',
    '1e12',
    '99999999999999999999',
    '1969-12-31',
  ];
  for (const said of times) {
    const outcome = timeOf(said, NOW);
    t.match(outcome, { left: { code: 'bad-time' } }, said);
    if (E.isLeft(outcome))
      for (const form of ['2026-03-14T09:12:00Z', '1773479520', '2h ago', 'now'])
        t.match(outcome.left.message, form, `${said}: names ${form}`);
  }
  for (const said of ['', '90', 'd', '-1d', '1.5h', '2 months', '1 millisecond', '3y', `${'9'.repeat(400)}d`])
    for (const outcome of [durationOf(said), timeOf(`${said} ago`, NOW)])
      t.match(outcome, { left: { code: 'bad-time', message: /: write .*(?:90d, 12h, 30m or 45s|"2h ago")/ } }, said);
  const long = timeOf('x'.repeat(10_000), NOW);
  t.ok(E.isLeft(long) && long.left.message.length < 250, 'and no more of it is repeated than tells what it was');
});

/** A log with two events in one millisecond, and others before and after: 1 at 0, 2 and 3 at 10, 4 at 20. */
const log = async (t: Parameters<typeof folder>[0]) => {
  const path = folder(t);
  const clock = new TestClock();
  const begun = clock.now();
  const ledger = await openLedger(path, { clock });
  await write(ledger, ticked(1));
  clock.pass(10);
  await write(ledger, ticked(2), ticked(3));
  clock.pass(10);
  await write(ledger, ticked(4));
  await ledger.close();
  const store = new Store({ path, readOnly: true });
  t.teardown(() => store.close());
  const evidence = evidenceIn(store, begun + 30, { autoApproveLocal: true });
  const iso = (ms: number): string => new Date(begun + ms).toISOString();
  return { evidence, iso };
};

t.test('an event is named by its number, or by a time', async (t) => {
  const { evidence, iso } = await log(t);
  for (const [said, seq] of [
    ['2', 2],
    ['#2', 2],
    ['4', 4],
    ['0', 0],
    [iso(0), 1],
    [iso(9), 1],
    [iso(10), 3],
    [iso(19), 3],
    ['now', 4],
    [iso(-1), 0],
    ['1h ago', 0],
  ] as const)
    t.same(seqOf(said, evidence), E.right(seq), said);
  for (const said of ['5', '#5'])
    t.match(seqOf(said, evidence), { left: { code: 'bad-time', message: 'there is no event 5 yet: the last is 4' } });
  t.match(seqOf('#2x', evidence), { left: { code: 'bad-time', message: /"#2x" is not a time: write 2026-03-14T/ } });
});

t.test('what was recorded in the very millisecond that is named is in the stretch, at both of its ends', async (t) => {
  const { evidence, iso } = await log(t);
  const numbers = (since: string | undefined, until: string | undefined): readonly number[] => {
    const stretch = stretchOf({ since, until }, evidence);
    if (E.isLeft(stretch)) throw new Error(stretch.left.message);
    return [...evidence.log.range(stretch.right)].map(({ seq }) => seq);
  };
  t.same(numbers(undefined, undefined), [1, 2, 3, 4]);
  t.same(numbers(iso(10), undefined), [2, 3, 4]);
  t.same(numbers(iso(11), undefined), [4]);
  t.same(numbers(undefined, iso(10)), [1, 2, 3]);
  t.same(numbers(undefined, iso(9)), [1]);
  t.same(numbers(iso(10), iso(10)), [2, 3]);
  t.same(numbers('2', '2'), [2], 'a number names one event');
  t.same(numbers('#3', undefined), [3, 4]);
  t.same(numbers('0', undefined), [1, 2, 3, 4]);
  t.same(numbers(iso(21), undefined), []);
  t.match(stretchOf({ since: 'soon' }, evidence), { left: { code: 'bad-time' } });
  t.match(stretchOf({ until: '9' }, evidence), { left: { code: 'bad-time' } });
});
