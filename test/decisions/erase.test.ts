import t from 'tap';
import { isInRanges, numbersIn, rangesOf } from '../../events/index.js';
import { askerOf, holderOf } from '../../projections/index.js';
import { deviceIn } from '../../src/decisions/device.js';
import { type Erase, erase } from '../../src/decisions/erase.js';
import { hold, release } from '../../src/decisions/hold.js';
import { rename } from '../../src/decisions/rename.js';
import { History, types } from '../support/given.js';
import {
  ADMINS_ALONE,
  admin,
  approves,
  connects,
  handshake,
  host,
  laptop,
  paired,
  person,
  phone,
} from '../support/people.js';

/* Who may erase personal data, what is recorded of it, and what it leaves of whom it was about. */

const erases = (history: History, events: readonly number[], more: Partial<Erase> = {}) =>
  history.when((views, _, originOf) =>
    erase(
      views,
      { subject: { of: 'device', device: laptop }, events, reason: 'asked for', by: admin, ...more },
      originOf,
    ),
  );

/** A paired device; its request is event 1, its approval event 2. */
const given = (): History => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  return history;
};

t.test('who may erase', async (t) => {
  for (const [name, by, says] of ADMINS_ALONE) {
    const { refusal, events } = erases(given(), [1], { by });
    t.equal(refusal?.message, says, name);
    t.equal(events.length > 0, says === undefined, `${name}: and nothing is erased`);
  }
});

t.test('not without a reason, and not while a hold keeps evidence', async (t) => {
  const history = given();
  t.match(erases(history, [1], { reason: undefined }).refusal, { code: 'erasure-unexplained' });
  history.when((views) => hold(views, { by: admin, reason: 'case 4711' }));
  t.match(erases(history, [1]).refusal, { code: 'erasure-held' });
  t.match(history.originOf(1), { displayName: 'somebody' });
  history.when((views) => release(views, { by: admin }));
  t.equal(erases(history, [1]).events.length, 1);
});

t.test('what is recorded: what, whose, why and by whom, and never what was erased', async (t) => {
  const about = { device: laptop };
  const cases: readonly (readonly [subject: Erase['subject'], about: string])[] = [
    [{ of: 'device', ...about }, `device:${laptop}`],
    [{ of: 'request', request: 'r1', ...about }, `device:${laptop}`],
    [{ of: 'connection', connection: 'c1' }, 'connection:c1'],
    [{ of: 'address' }, 'gateway'],
  ];
  for (const [subject, of] of cases) {
    const { events } = erases(given(), [1, 2], { subject, first: 9 });
    t.same(types(events), ['log.erased']);
    t.match(events[0], {
      subject: of,
      cause: 9,
      actor: { kind: 'connection', connection: 'c-admin' },
      data: { ...subject, events: 2, numbers: '1-2', reason: 'asked for' },
    });
    t.notMatch(JSON.stringify(events), /somebody|203\.0\.113/);
  }
});

t.test('the one who erases stays on the record', async (t) => {
  const [offline] = erases(given(), [1], { by: host, osUser: 'bob' }).events;
  t.same(offline?.origin, { osUser: 'ada' });
  const bySocket = person(['operator.admin'], { method: 'host-proof' });
  t.same(erases(given(), [1], { by: bySocket, osUser: 'bob' }).events[0]?.origin, { osUser: 'bob' });
  t.equal(erases(given(), [1]).events[0]?.originHash, undefined, 'of an admin elsewhere its device says who it is');
});

t.test('what has gone already is passed over', async (t) => {
  const history = given();
  erases(history, [1]);
  t.match(erases(history, [1, 2]).events, [{ data: { events: 1, numbers: '2' } }]);
  const again = erases(history, [1, 2]);
  t.equal(again.refusal, undefined);
  t.same(again.events, []);
});

t.test('whose name and address were erased is shown by id, and goes on as before', async (t) => {
  const history = given();
  history.when((views, moment) => rename(deviceIn(views, laptop, moment), { label: "Ada's", by: admin }));
  const known = () => {
    const row = history.views.paired.get(laptop);
    return row && holderOf(row, history.originOf);
  };
  t.same(known(), { address: '203.0.113.7', displayName: 'somebody', label: "Ada's" });
  erases(history, [history.events.length]);
  t.same(known(), { address: '203.0.113.7', displayName: 'somebody', label: undefined });
  erases(history, [1, 2]);
  t.same(known(), { address: undefined, displayName: undefined, label: undefined });
  const before = JSON.stringify([...history.views.paired.entries()]);
  erases(history, [1, 2]);
  t.equal(JSON.stringify([...history.views.paired.entries()]), before, 'no row knows of it');
});

t.test('a request that waits is approved without what was erased', async (t) => {
  const history = new History();
  const { requestId } = handshake(phone);
  connects(history, handshake(phone, { requestId }));
  const { seq } = history.views.pending.get(phone) ?? { seq: 0 };
  erases(history, [seq]);
  t.same(askerOf({ seq }, history.originOf), {});
  const { refusal, events } = approves(history, requestId);
  t.equal(refusal, undefined);
  t.notMatch(JSON.stringify(events), /somebody|203\.0\.113/);
});

t.test('a larger request keeps the name of the one before, unless that was erased', async (t) => {
  for (const erased of [false, true]) {
    const history = new History();
    connects(history, handshake(phone));
    if (erased) erases(history, [1]);
    connects(history, handshake(phone, { scopes: ['operator.write'], origin: { address: '203.0.113.8' } }));
    const { seq } = history.views.pending.get(phone) ?? { seq: 0 };
    t.equal(askerOf({ seq }, history.originOf).displayName, erased ? undefined : 'somebody');
  }
});

t.test('numbers as ranges and back', async (t) => {
  for (const [numbers, text] of [
    [[], ''],
    [[5], '5'],
    [[1, 2, 3], '1-3'],
    [[1, 3, 4, 9], '1,3-4,9'],
  ] as const) {
    t.equal(rangesOf(numbers), text);
    t.same([...numbersIn(text)], numbers);
    for (let n = 0; n < 11; n++) t.equal(isInRanges(text, n), (numbers as readonly number[]).includes(n));
  }
});
