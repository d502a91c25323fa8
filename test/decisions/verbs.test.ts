import t from 'tap';
import { nameOf } from '../../projections/index.js';
import { deviceIn, deviceOfRequest } from '../../src/decisions/device.js';
import type { Principal } from '../../src/decisions/principal.js';
import { reject } from '../../src/decisions/reject.js';
import { remove } from '../../src/decisions/remove.js';
import { rename } from '../../src/decisions/rename.js';
import { revoke } from '../../src/decisions/revoke.js';
import { rotate } from '../../src/decisions/rotate.js';
import { sweep } from '../../src/decisions/sweep.js';
import { limits } from '../../src/limits.js';
import { History, types } from '../support/given.js';
import {
  admin,
  approves,
  connects,
  fresh,
  handshake,
  host,
  laptop,
  paired,
  person,
  phone,
  withToken,
} from '../support/people.js';

const pairing = person(['operator.pairing', 'operator.read']);
const ofLaptop = person(['operator.pairing', 'operator.read'], { method: 'device-token', device: laptop });

const rejects = (h: History, requestId: string, by: Principal) =>
  h.when((views, moment) => reject(deviceOfRequest(views, requestId, moment), { requestId, by }));
const removes = (h: History, device: string, by: Principal) =>
  h.when((views, moment) => remove(deviceIn(views, device, moment), { by }));
const renames = (h: History, device: string, label: string, by: Principal) =>
  h.when((views, moment) => rename(deviceIn(views, device, moment), { label, by }));
const rotates = (
  h: History,
  device: string,
  by: Principal,
  scopes?: readonly string[],
  role: 'operator' | 'node' = 'operator',
) => h.when((views, moment) => rotate(deviceIn(views, device, moment), { role, scopes, by, fresh: fresh() }, moment));
const revokes = (h: History, device: string, by: Principal, role: 'operator' | 'node' = 'operator') =>
  h.when((views, moment) => revoke(deviceIn(views, device, moment), { role, by }));
const sweeps = (h: History) => h.happened(...sweep(h.views, h.moment, 1000));

t.test('who may approve what', async (t) => {
  const cases: readonly { name: string; by: Principal; asks?: object; says: string | undefined }[] = [
    { name: 'an admin', by: admin, says: undefined },
    { name: 'the owner of the host', by: host, says: undefined },
    { name: 'pairing, of what it holds', by: pairing, says: undefined },
    {
      name: 'pairing, of more than it holds',
      by: pairing,
      asks: { scopes: ['operator.write'] },
      says: 'missing scope: operator.write',
    },
    {
      name: 'pairing, of admin',
      by: pairing,
      asks: { scopes: ['operator.admin'] },
      says: 'missing scope: operator.admin',
    },
    {
      name: 'pairing, of a node',
      by: pairing,
      asks: { role: 'node', scopes: [] },
      says: 'device pairing approval denied',
    },
    { name: 'a device token, of its own', by: ofLaptop, says: undefined },
    {
      name: "a device token, of another's",
      by: { ...ofLaptop, device: phone } as Principal,
      says: 'device pairing approval denied',
    },
    {
      name: 'an admin, of operator scopes for a node',
      by: admin,
      asks: { role: 'node', scopes: ['operator.read'] },
      says: 'invalid scope for requested roles: operator.read',
    },
  ];
  for (const { name, by, asks, says } of cases) {
    const history = new History();
    const ask = handshake(laptop, { scopes: ['operator.read'], ...asks });
    connects(history, ask);
    const { refusal, events } = approves(history, ask.requestId, by);
    t.equal(refusal?.message, says, name);
    if (says === undefined)
      t.same(types(events), ['pairing.approved', 'token.issued'], `${name}: and a token is issued`);
    t.equal(history.views.pending.get(laptop) !== undefined, says !== undefined, `${name}: what waits`);
  }
});

t.test('an approval tells who, by which rule, and what for', (t) => {
  const history = new History();
  const ask = handshake(laptop, { scopes: ['operator.read'] });
  connects(history, ask);
  const [approved, issued] = approves(history, ask.requestId, host).events;
  t.match(approved, {
    cause: 1,
    actor: { kind: 'host' },
    data: { rule: 'host', scopes: ['operator.read'] },
    origin: { osUser: 'ada', displayName: 'somebody' },
  });
  t.match(issued, { cause: 2, data: { scopes: ['operator.read'] } });
  t.end();
});

t.test('an id is decided once', async (t) => {
  for (const decideFirst of [approves, rejects]) {
    const history = new History();
    const ask = handshake(laptop);
    connects(history, ask);
    decideFirst(history, ask.requestId, admin);
    t.equal(approves(history, ask.requestId).refusal?.message, 'unknown requestId');
    t.equal(rejects(history, ask.requestId, admin).refusal?.message, 'unknown requestId');
    t.equal(
      approves(history, ask.requestId, pairing).refusal?.message,
      'device pairing approval denied',
      'no oracle for others',
    );
  }
});

t.test('an expired request cannot be approved, swept or not', (t) => {
  const history = new History();
  const ask = handshake(laptop);
  connects(history, ask);
  history.pass(limits.pairing.pendingMs);
  t.equal(approves(history, ask.requestId).refusal?.message, 'unknown requestId');
  sweeps(history);
  t.same(types(history.events), ['pairing.requested', 'pairing.expired']);
  t.equal(history.views.pending.size(), 0);
  t.equal(history.views.requests.size(), 0);
  sweeps(history);
  t.equal(history.events.length, 2, 'once');
  t.end();
});

t.test('a device that asks again after its request expired, before the sweep: both ends are on the record', (t) => {
  const history = new History();
  connects(history, handshake(laptop));
  history.pass(limits.pairing.pendingMs);
  connects(history, handshake(laptop));
  t.same(types(history.events), ['pairing.requested', 'pairing.expired', 'pairing.requested']);
  t.equal(history.views.requests.size(), 1);
  sweeps(history);
  t.equal(history.events.length, 3);
  t.end();
});

t.test('remove shuts a device out', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const upgrade = handshake(laptop, { scopes: ['operator.approvals'] });
  connects(history, upgrade);
  const old = withToken(history, laptop);
  t.equal(
    removes(history, laptop, { ...ofLaptop, device: phone } as Principal).refusal?.message,
    'device pairing removal denied',
  );
  t.equal(removes(history, phone, admin).refusal?.message, 'unknown deviceId');
  t.same(types(removes(history, laptop, admin).events), ['device.removed', 'pairing.rejected']);
  t.equal(removes(history, laptop, admin).refusal?.message, 'unknown deviceId');
  t.match(connects(history, old).refusal, { code: 'unauthorized' }, 'its token is dead');
  t.equal(approves(history, upgrade.requestId).refusal?.message, 'unknown requestId', 'its upgrade went with it');
  const again = handshake(laptop);
  t.match(connects(history, again).refusal, { need: 'not-paired' }, 'its key may ask again');
  approves(history, again.requestId);
  t.match(connects(history, old).refusal, { code: 'unauthorized' }, 'and gets no old token back');
  t.end();
});

t.test('rename gives a label that is personal data', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  t.equal(renames(history, phone, 'x', admin).refusal?.message, 'unknown deviceId');
  const [event] = renames(history, laptop, "Ada's laptop", admin).events;
  const row = history.views.paired.get(laptop);
  t.equal(row && nameOf(row, history.originOf), "Ada's laptop");
  t.notMatch(JSON.stringify(row), /Ada/, 'nor in the view');
  t.notMatch(JSON.stringify({ data: event?.data, subject: event?.subject }), /Ada/);
  t.end();
});

t.test('who may rotate what', async (t) => {
  const own = { ...ofLaptop, scopes: ['operator.pairing', 'operator.read'] } as Principal;
  const cases = [
    { name: 'an admin', by: admin, says: undefined },
    { name: 'the owner of the host', by: host, says: undefined },
    { name: 'the device itself', by: own, says: undefined },
    {
      name: 'the device itself, holding less',
      by: { ...own, scopes: ['operator.pairing'] } as Principal,
      says: 'device token rotation denied',
    },
    { name: 'another with the secret', by: pairing, says: 'device token rotation denied' },
    { name: 'an admin, to less', by: admin, scopes: [], says: undefined },
    {
      name: 'an admin, to more than was approved',
      by: admin,
      scopes: ['operator.admin'],
      says: 'unknown deviceId/role',
    },
    { name: 'an admin, of a role it does not have', by: admin, role: 'node' as const, says: 'unknown deviceId/role' },
    { name: 'the device itself, another role', by: own, role: 'node' as const, says: 'device token rotation denied' },
  ];
  for (const { name, by, scopes, role, says } of cases) {
    const history = new History();
    paired(history, laptop, ['operator.read']);
    const { refusal, events } = rotates(history, laptop, by, scopes, role);
    t.equal(refusal?.message, says, name);
    if (says === undefined) t.same(types(events), ['token.rotated'], `${name}: on the record`);
  }
});

t.test('rotated twice, only one token is in its grace', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const first = withToken(history, laptop);
  rotates(history, laptop, admin);
  const second = withToken(history, laptop);
  t.same(types(rotates(history, laptop, admin).events), ['token.rotated', 'token.retired']);
  t.match(connects(history, first).refusal, { code: 'unauthorized' });
  t.equal(connects(history, second).refusal, undefined);
  t.end();
});

t.test('revoke kills at once, grace and all', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  const first = withToken(history, laptop);
  rotates(history, laptop, admin);
  const second = withToken(history, laptop);
  t.equal(revokes(history, laptop, pairing).refusal?.message, 'device token revocation denied');
  t.equal(revokes(history, laptop, admin, 'node').refusal?.message, 'unknown deviceId/role');
  t.same(types(revokes(history, laptop, admin).events), ['token.revoked', 'token.retired']);
  for (const dead of [first, second]) t.match(connects(history, dead).refusal, { code: 'unauthorized' });
  t.same(revokes(history, laptop, admin).events, [], 'twice is once');
  t.same(
    types(connects(history, handshake(laptop)).events),
    ['token.issued', 'connection.accepted'],
    'the secret gets a new one issued',
  );
  for (const dead of [first, second])
    t.match(connects(history, dead).refusal, { code: 'unauthorized' }, 'and none of the old come back');
  t.end();
});

t.test('a grace that ends is on the record', (t) => {
  const history = new History();
  paired(history, laptop, ['operator.read']);
  rotates(history, laptop, admin);
  history.pass(limits.pairing.tokenGraceMs - 1);
  sweeps(history);
  t.equal(history.ofType('token.retired').length, 0);
  history.pass(1);
  sweeps(history);
  t.match(history.ofType('token.retired'), [{ data: { reason: 'grace-ended' } }]);
  t.equal(history.views.graces.size(), 0);
  t.equal(history.views.paired.get(laptop)?.tokens.operator?.previous, undefined);
  t.end();
});
