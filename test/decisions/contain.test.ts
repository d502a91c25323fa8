import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import type { DataOf } from '../../events/index.js';
import { GATEWAY } from '../../projections/index.js';
import { type Contain, closeIncident, contain, countsOf, type Step } from '../../src/decisions/contain.js';
import { deviceIn } from '../../src/decisions/device.js';
import type { Principal } from '../../src/decisions/principal.js';
import { rotate } from '../../src/decisions/rotate.js';
import { rotateSecret } from '../../src/decisions/rotate-secret.js';
import { start } from '../../src/decisions/start.js';
import { History, types } from '../support/given.js';
import {
  ADMINS_ALONE,
  admin,
  connects,
  fresh,
  handshake,
  host,
  laptop,
  paired,
  person,
  phone,
} from '../support/people.js';

/* What is done about a leak: all at once, because of the incident, and never to the one who asks. */

const SECRET = 'fp-secret-1';
const NEXT = { credential: 'fp-secret-2', source: 'gateway.env' };

const started = (secret: string | undefined): DataOf<'gateway.started'> => ({
  boot: 'b',
  pid: 1,
  version: '1',
  runtime: 'node',
  authMode: 'token',
  listening: [],
  tokenKey: 'k',
  ...(secret === undefined ? {} : { secret }),
});

const starts = (history: History, secret: string | undefined) =>
  history.when((views) => start(views, { started: started(secret), source: 'the environment' }));

const contains = (history: History, plan: readonly Step[], more: Partial<Contain> = {}) =>
  history.when((views, moment) =>
    contain(
      views,
      { incident: 'i1', credential: SECRET, kept: [], plan, digest: 'd', next: NEXT, by: admin, ...more },
      moment,
    ),
  );

const tokenOf = (history: History, device: string): string =>
  history.views.paired.get(device)?.tokens.operator?.credential ?? '';

const rotateIt: Step = { do: 'rotate-secret', credential: SECRET };
const removeIt = (device: string): Step => ({ do: 'remove-device', device, because: 3 });
const revokeOf = (history: History, device: string): Step => ({
  do: 'revoke-token',
  device,
  role: 'operator',
  credential: tokenOf(history, device),
  because: 4,
});

/** A gateway that runs, and two devices. */
const given = (): History => {
  const history = new History();
  starts(history, SECRET);
  paired(history, laptop, ['operator.read']);
  paired(history, phone, ['operator.read']);
  return history;
};

t.test('who may contain a leak', async (t) => {
  for (const [name, by, says] of ADMINS_ALONE) {
    const { refusal, events } = contains(given(), [rotateIt], { by });
    t.equal(refusal?.message, says, name);
    t.equal(events.length > 0, says === undefined, `${name}: and nothing is done`);
  }
});

t.test('nobody cuts off the connection through which it asks', async (t) => {
  const history = given();
  const mine = { device: laptop, credential: tokenOf(history, laptop), method: 'device-token' } as const;
  const cases: readonly (readonly [name: string, more: Partial<Contain>, plan: readonly Step[]])[] = [
    ['by its credential', { by: person(['operator.admin'], { credential: SECRET }) }, []],
    ['by the secret that is replaced', { by: person(['operator.admin'], { credential: SECRET }) }, [rotateIt]],
    ['by its device', { by: person(['operator.admin'], mine), credential: undefined, device: laptop }, []],
    ['by the removal of its device', { by: person(['operator.admin'], mine) }, [removeIt(laptop)]],
    ['by the revocation of its token', { by: person(['operator.admin'], mine) }, [revokeOf(history, laptop)]],
  ];
  for (const [name, more, plan] of cases) {
    const { refusal, events } = contains(history, plan, more);
    t.match(refusal, { code: 'cuts-caller' }, name);
    t.same(events, [], `${name}: and nothing is done`);
    for (const by of [host, { ...more.by, method: 'host-proof' } as Principal])
      t.equal(contains(given(), plan, { ...more, by }).refusal, undefined, `${name}: the host never is`);
  }
  t.equal(
    contains(given(), [removeIt(phone)], { by: person(['operator.admin'], mine) }).refusal,
    undefined,
    'what happens to others does not cut it off',
  );
});

t.test('all at once, each because of the incident, and what follows from a step because of the step', async (t) => {
  const history = given();
  const waiting = handshake('c'.repeat(64));
  connects(history, waiting);
  const upgrade = handshake(laptop, { scopes: ['operator.write'] });
  connects(history, upgrade);
  const plan: readonly Step[] = [
    rotateIt,
    removeIt(laptop),
    revokeOf(history, phone),
    { do: 'reject-request', requestId: waiting.requestId, device: 'c'.repeat(64), because: 9 },
  ];
  const { events } = contains(history, plan, { since: 1, until: 2, kept: ['e'.repeat(64)] });
  t.same(types(events), [
    'gateway.incident-opened',
    'gateway.secret-rotated',
    'gateway.secret-barred',
    'device.removed',
    'pairing.rejected',
    'token.revoked',
    'pairing.rejected',
  ]);
  const [opened, rotated, barred, removed, dropped, revoked, rejected] = events;
  t.match(opened, {
    actor: { kind: 'connection', connection: 'c-admin' },
    data: {
      incident: 'i1',
      credential: SECRET,
      secret: true,
      devices: 1,
      tokens: 1,
      requests: 1,
      plan: 'd',
      since: 1,
      until: 2,
      kept: ['e'.repeat(64)],
    },
  });
  for (const measure of [rotated, barred, removed, revoked, rejected])
    t.equal(measure?.cause, opened?.seq, `${measure?.type}: because of the incident`);
  t.equal(dropped?.cause, removed?.seq, 'the upgrade that waited went with its device');
  t.match(rotated?.data, { from: SECRET, to: NEXT.credential, source: NEXT.source });
  t.match(history.views.credentials.get(SECRET), { kind: 'secret', leaked: barred?.seq, endedBy: rotated?.seq });
  t.equal(history.views.gateway.get(GATEWAY)?.secret?.credential, NEXT.credential);
  t.equal(history.views.paired.get(laptop), undefined);
  t.ok(history.views.paired.get(phone), 'a device whose token was revoked is still paired');
  t.equal(history.views.pending.size(), 0);
});

t.test('of the host it is said who it was, beside the event and not in it', async (t) => {
  const [opened] = contains(given(), [removeIt(laptop)], { by: host }).events;
  t.match(opened, { actor: { kind: 'host' }, origin: { osUser: 'ada' } });
  t.notMatch(JSON.stringify([opened?.actor, opened?.data]), 'ada');
});

t.test('a later round is because of the same incident, and does not open another', async (t) => {
  const history = given();
  const [opened] = contains(history, [removeIt(laptop)]).events;
  const { events } = contains(history, [removeIt(phone)], { opened: opened?.seq });
  t.same(types(events), ['device.removed']);
  t.equal(events[0]?.cause, opened?.seq);
});

t.test('what is gone already is passed over', async (t) => {
  const history = given();
  const revoke = revokeOf(history, phone);
  const plan: readonly Step[] = [
    rotateIt,
    removeIt(laptop),
    revoke,
    { do: 'reject-request', requestId: 'no-such-request', device: phone, because: 1 },
  ];
  contains(history, plan);
  const again = contains(history, plan, { incident: 'i2' });
  t.equal(again.refusal, undefined);
  t.same(types(again.events), ['gateway.incident-opened']);
  t.equal(history.views.gateway.get(GATEWAY)?.secret?.credential, NEXT.credential, 'and the new secret stays');
});

t.test('what two steps would end is ended once', async (t) => {
  const history = given();
  const old = revokeOf(history, phone);
  history.when((views, moment) =>
    rotate(deviceIn(views, phone, moment), { role: 'operator', by: admin, fresh: fresh() }, moment),
  );
  const upgrade = handshake(laptop, { scopes: ['operator.write'] });
  connects(history, upgrade);
  const { events } = contains(history, [
    old,
    revokeOf(history, phone),
    removeIt(laptop),
    removeIt(laptop),
    revokeOf(history, laptop),
    { do: 'reject-request', requestId: upgrade.requestId, device: laptop, because: 1 },
  ]);
  t.same(types(events), [
    'gateway.incident-opened',
    'token.revoked',
    'token.retired',
    'device.removed',
    'pairing.rejected',
  ]);
});

t.test('a secret is replaced only if it is the one in force', async (t) => {
  const history = given();
  starts(history, 'fp-other');
  t.same(types(contains(history, [rotateIt]).events), ['gateway.incident-opened']);
  t.equal(history.views.gateway.get(GATEWAY)?.secret?.credential, 'fp-other');
});

t.test('devices that are not in the plan keep all they have', async (t) => {
  const history = given();
  const before = JSON.stringify(history.views.paired.get(phone));
  contains(history, [rotateIt, removeIt(laptop)], { kept: [phone] });
  t.equal(JSON.stringify(history.views.paired.get(phone)), before);
  t.equal(history.views.credentials.get(tokenOf(history, phone))?.endedBy, undefined);
});

t.test('the end of an incident says how much was done', async (t) => {
  const history = given();
  const done: readonly Step[] = [rotateIt, removeIt(laptop), removeIt(phone), revokeOf(history, phone)];
  const [opened] = contains(history, done).events;
  const close = {
    incident: 'i1',
    credential: SECRET,
    opened: opened?.seq ?? 0,
    rounds: 2,
    done: countsOf(done),
    sessions: 3,
    by: host,
  };
  const { events } = history.when(() => closeIncident(close));
  t.match(events, [
    {
      type: 'gateway.incident-closed',
      cause: opened?.seq,
      data: {
        incident: 'i1',
        credential: SECRET,
        rounds: 2,
        secret: true,
        devices: 2,
        tokens: 1,
        requests: 0,
        sessions: 3,
      },
    },
  ] as never);
});

const rotates = (history: History, by: Principal, to = 'fp-next') =>
  history.when((views) => rotateSecret(views.gateway.get(GATEWAY), { to, source: 'a file', by }));

t.test('the secret is replaced by an admin, because of the event that set the one before', async (t) => {
  const history = given();
  const before = history.views.gateway.get(GATEWAY)?.secret?.seq;
  t.match(rotates(history, person(['operator.pairing'])).refusal, { code: 'missing-scope' });
  const [rotated] = rotates(history, admin).events;
  t.match(rotated, { cause: before, data: { from: SECRET, to: 'fp-next', source: 'a file' } });
});

t.test('a gateway does not start with a secret that leaked, and does with one that was only replaced', async (t) => {
  const leaked = given();
  const [, , barred] = contains(leaked, [rotateIt]).events;
  const refused = starts(leaked, SECRET);
  t.match(refused.refusal, {
    code: 'secret-leaked',
    message: `the gateway secret in the environment was given up because it leaked (event ${barred?.seq}), and is not accepted again`,
  });
  t.same(refused.events, []);
  t.same(types(starts(leaked, NEXT.credential).events), ['gateway.started'], 'with the new one it does');
  t.same(types(starts(leaked, 'fp-third').events), ['gateway.started', 'gateway.secret-rotated']);
  t.match(starts(leaked, SECRET).refusal, { code: 'secret-leaked' }, 'never again, whatever came between');

  const replaced = given();
  rotates(replaced, admin);
  t.notOk('leaked' in (replaced.views.credentials.get(SECRET) ?? {}));
  t.same(types(starts(replaced, SECRET).events), ['gateway.started', 'gateway.secret-rotated']);
  const late = given();
  rotates(late, admin);
  contains(late, [{ do: 'bar-secret', credential: SECRET }]);
  t.match(starts(late, SECRET).refusal, { code: 'secret-leaked' }, 'nor one of which that is only known later');
});

t.test('a start says what it begins with, and whether that is another secret than before', async (t) => {
  const history = new History();
  t.same(types(starts(history, undefined).events), ['gateway.started']);
  const first = starts(history, SECRET).events;
  t.match(first[1], {
    type: 'gateway.secret-rotated',
    cause: first[0]?.seq,
    data: { to: SECRET, source: 'the environment' },
  });
  const [second] = starts(history, SECRET).events;
  t.equal(second?.cause, first[0]?.seq, 'because of the start before');
  t.ok(E.isRight(start(history.views, { started: started(undefined) })), 'without one it starts, too');
});
