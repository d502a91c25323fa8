import t from 'tap';
import { deviceIn } from '../../src/decisions/device.js';
import type { Principal } from '../../src/decisions/principal.js';
import { type Remove, remove } from '../../src/decisions/remove.js';
import { History, START, types } from '../support/given.js';
import { admin, connects, laptop, paired, person, phone, withToken } from '../support/people.js';

/* A device that nobody has used is asked about again in the moment of its removal. */

const DAY = 86_400_000;

const removes = (history: History, unseen: Remove['unseen'], by: Principal = admin, device = laptop) =>
  history.when((views, moment) => remove(deviceIn(views, device, moment), { by, unseen }));

/** The laptop was approved on day 0, came on day 10, and it is day 100 now. */
const given = (): History => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  history.pass(10 * DAY);
  connects(history, withToken(history, laptop));
  return history.pass(90 * DAY);
};

const seenIn = (history: History): number | undefined => history.views.usage.get(laptop)?.seenAt;

t.test('one that was not here since is removed, and one that was is not', async (t) => {
  const cases: readonly (readonly [name: string, since: number, removed: boolean])[] = [
    ['seen long before', START + 50 * DAY, true],
    ['seen a millisecond before', START + 10 * DAY + 1, true],
    ['seen in that very millisecond', START + 10 * DAY, false],
    ['seen since', START + 5 * DAY, false],
  ];
  for (const [name, since, removed] of cases) {
    const history = given();
    t.equal(seenIn(history), START + 10 * DAY);
    const { refusal, events } = removes(history, { since, seenAt: seenIn(history) });
    t.match(refusal, removed ? undefined : { code: 'device-seen', message: 'device was seen since' }, name);
    t.same(types(events), removed ? ['device.removed'] : [], name);
    t.equal(history.views.paired.get(laptop) === undefined, removed, name);
  }
});

t.test('one that is here now stays, however long ago it came', async (t) => {
  const history = given();
  t.match(removes(history, { since: START + 99 * DAY, seenAt: 'open' }).refusal, { code: 'device-seen' });
});

t.test('one that never came is as old as its approval', async (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const approvedAt = history.views.paired.get(laptop)?.approvedAt ?? 0;
  t.match(removes(history, { since: approvedAt, seenAt: undefined }).refusal, { code: 'device-seen' });
  t.same(types(removes(history, { since: approvedAt + 1, seenAt: undefined }).events), ['device.removed']);
});

t.test('one that was approved anew since stays, though it has not come', async (t) => {
  const history = given();
  paired(history, laptop, [], 'node');
  t.equal(seenIn(history), START + 10 * DAY);
  t.match(removes(history, { since: START + 50 * DAY, seenAt: seenIn(history) }).refusal, { code: 'device-seen' });
});

t.test('who may not remove it is told no more than without the condition', async (t) => {
  const stranger = person(['operator.pairing'], { method: 'device-token', device: phone });
  for (const unseen of [undefined, { since: START + 50 * DAY, seenAt: START }, { since: 0, seenAt: 'open' as const }])
    t.match(removes(given(), unseen, stranger).refusal, { code: 'removal-denied' });
  t.match(removes(given(), { since: 0, seenAt: 'open' }, admin, phone).refusal, { code: 'unknown-device' });
});

t.test('without the condition it does not matter when it was here', async (t) => {
  t.same(types(removes(given(), undefined).events), ['device.removed']);
});
