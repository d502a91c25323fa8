import t from 'tap';
import type { EventType } from '../../events/index.js';
import { connect, type Key, newKey, REMOTE } from '../support/device.js';
import { logOf, running, TOKEN } from '../support/gateway.js';

/* The main job, on real sockets: a stranger is turned away, somebody approves it, it comes in, and the log tells the story. */

const PHONE = { client: { id: 'openclaw-ios', mode: 'ui', platform: 'ios 19.1', displayName: "Ada's phone" } };
const withSecret = { ...PHONE, auth: { token: TOKEN } };

/** An operator with everything, on this host. */
const operator = async (port: number, key: Key = newKey()) => {
  const { wire, answer } = await connect(port, key, {
    scopes: ['operator.admin', 'operator.pairing', 'operator.read'],
    auth: { token: TOKEN },
  });
  if (!answer.ok) throw new Error(`the operator was refused: ${JSON.stringify(answer.error)}`);
  return wire;
};

t.test('a stranger is refused, appears in the list, is approved, and comes in', async (t) => {
  const { port, state, stop } = await running(t);
  const boss = await operator(port);
  const phone = newKey();

  const first = await connect(port, phone, withSecret, REMOTE);
  t.match(first.answer, {
    ok: false,
    error: {
      code: 'NOT_PAIRED',
      message: 'pairing required: device is not approved yet',
      details: { code: 'PAIRING_REQUIRED', reason: 'not-paired', deviceId: phone.id, pauseReconnect: false },
    },
  });
  const { requestId } = first.answer.error.details;
  t.same(await first.wire.close(), {
    code: 1008,
    reason: `pairing required: device is not approved yet (requestId: ${requestId})`,
  });

  const told = await boss.next((frame) => frame.event === 'device.pair.requested');
  t.match(told.payload, { requestId, deviceId: phone.id, displayName: "Ada's phone", silent: false, isRepair: false });
  const list = await boss.call('device.pair.list');
  t.match(list.payload.pending, [{ requestId, deviceId: phone.id, scopes: ['operator.read'] }]);

  const approved = await boss.call('device.pair.approve', { requestId });
  t.match(approved.payload, { requestId, device: { deviceId: phone.id, roles: ['operator'] } });
  t.notMatch(JSON.stringify(approved.payload), /token"?:\s*"/i, 'a token is told to nobody but its device');
  const before = boss.frames.findIndex(
    (frame) => frame.event === 'device.pair.resolved' && frame.payload.requestId === requestId,
  );
  const after = boss.frames.findIndex((frame) => frame.id === approved.id);
  t.ok(before !== -1 && before < after, 'the event leaves before the answer');

  const second = await connect(port, phone, withSecret, REMOTE);
  t.match(second.answer, {
    ok: true,
    payload: { type: 'hello-ok', protocol: 4, auth: { role: 'operator', scopes: ['operator.read'] } },
  });
  const { deviceToken } = second.answer.payload.auth;
  t.equal(Buffer.from(deviceToken, 'base64url').length, 32);
  second.wire.end();

  const third = await connect(port, phone, { ...PHONE, auth: { deviceToken } }, REMOTE);
  t.equal(third.answer.payload.auth.deviceToken, deviceToken, 'the token alone opens the door, and is said again');
  third.wire.end();
  await stop();

  const story = logOf(state).filter(({ subject }) => subject === `device:${phone.id}`);
  t.same(
    story.map(({ type }) => type),
    ['pairing.requested', 'pairing.approved', 'token.issued'] satisfies EventType[],
  );
  const [asked, yes, issued] = story;
  t.equal(yes?.cause, asked?.seq);
  t.equal(issued?.cause, yes?.seq);
  const came = logOf(state).filter(
    ({ type, data }) => type === 'connection.accepted' && 'device' in data && data.device === phone.id,
  );
  t.same(
    came.map(({ data }) => 'method' in data && data.method),
    ['token', 'device-token'],
  );
  t.equal(came[1]?.cause, issued?.seq, 'a connection leads to the issue of its token');
});

t.test('the same ask keeps its id; a larger one supersedes it, and approving the old id says by what', async (t) => {
  const { port } = await running(t);
  const boss = await operator(port);
  const phone = newKey();
  const ask = async (scopes: readonly string[]): Promise<string> => {
    const { answer } = await connect(port, phone, { ...withSecret, scopes }, REMOTE);
    return answer.error.details.requestId;
  };
  const old = await ask(['operator.read']);
  t.equal(await ask(['operator.read']), old);
  const larger = await ask(['operator.read', 'operator.approvals']);
  t.not(larger, old);
  const refused = await boss.call('device.pair.approve', { requestId: old });
  t.match(refused.error, {
    code: 'INVALID_REQUEST',
    message: `unknown requestId: superseded by ${larger}, which also asks for operator.approvals`,
    details: { code: 'REQUEST_SUPERSEDED', requestId: larger, added: { roles: [], scopes: ['operator.approvals'] } },
  });
  const approved = await boss.call('device.pair.approve', { requestId: larger });
  t.same(approved.payload.device.scopes, ['operator.read', 'operator.approvals']);
  t.match((await boss.call('device.pair.approve', { requestId: larger })).error, { message: 'unknown requestId' });
});

t.test(
  'a paired device that asks for more keeps what it has, and comes back with more when that is approved',
  async (t) => {
    const { port } = await running(t);
    const boss = await operator(port);
    const phone = newKey();
    const { answer: asked } = await connect(port, phone, withSecret, REMOTE);
    await boss.call('device.pair.approve', { requestId: asked.error.details.requestId });

    const more = ['operator.read', 'operator.pairing'];
    const { wire, answer } = await connect(port, phone, { ...withSecret, scopes: more }, REMOTE);
    t.same(answer.payload.auth.scopes, ['operator.read'], 'not locked out');
    const missing = await wire.call('device.pair.list');
    t.match(missing.error, { code: 'FORBIDDEN', message: 'missing scope: operator.pairing' });
    const { requestId } = missing.error.details;
    t.match((await boss.call('device.pair.list')).payload.pending, [{ requestId, isRepair: true }]);

    await boss.call('device.pair.approve', { requestId });
    t.same(await wire.close(), { code: 1012, reason: 'approved: connect again' });
    const again = await connect(port, phone, { ...withSecret, scopes: more }, REMOTE);
    t.same(again.answer.payload.auth.scopes, more);
    again.wire.end();
  },
);

t.test('a missing scope names no request that is gone', async (t) => {
  const { port } = await running(t);
  const boss = await operator(port);
  const phone = newKey();
  const { answer: asked } = await connect(port, phone, withSecret, REMOTE);
  await boss.call('device.pair.approve', { requestId: asked.error.details.requestId });
  const { wire } = await connect(port, phone, { ...withSecret, scopes: ['operator.read', 'operator.pairing'] }, REMOTE);
  const { requestId } = (await wire.call('device.pair.list')).error.details;
  await boss.call('device.pair.reject', { requestId });
  t.equal((await wire.call('device.pair.list')).error.details.requestId, undefined);
  wire.end();
});

t.test('a rejected device may ask again, under another id', async (t) => {
  const { port } = await running(t);
  const boss = await operator(port);
  const phone = newKey();
  const first = (await connect(port, phone, withSecret, REMOTE)).answer.error.details.requestId;
  t.match((await boss.call('device.pair.reject', { requestId: first })).payload, {
    requestId: first,
    deviceId: phone.id,
  });
  const second = (await connect(port, phone, withSecret, REMOTE)).answer.error.details.requestId;
  t.not(second, first);
});

t.test('a request is gone five minutes after the device last asked', async (t) => {
  const { port, clock, state, stop } = await running(t);
  const boss = await operator(port);
  const { answer } = await connect(port, newKey(), withSecret, REMOTE);
  clock.skip(301_000);
  t.same((await boss.call('device.pair.list')).payload.pending, []);
  const late = await boss.call('device.pair.approve', { requestId: answer.error.details.requestId });
  t.equal(late.error.message, 'unknown requestId');
  await stop();
  t.ok(
    logOf(state).some(({ type }) => type === 'pairing.expired'),
    'and its end is on the record',
  );
});

t.test('nobody grants what they do not hold', async (t) => {
  const { port } = await running(t);
  const boss = await operator(port);
  const keeper = newKey();
  const { answer } = await connect(port, keeper, { ...withSecret, scopes: ['operator.pairing'] }, REMOTE);
  await boss.call('device.pair.approve', { requestId: answer.error.details.requestId });
  const { wire } = await connect(port, keeper, { ...withSecret, scopes: ['operator.pairing'] }, REMOTE);
  const asks = await connect(port, newKey(), { ...withSecret, scopes: ['operator.admin'] }, REMOTE);
  const refused = await wire.call('device.pair.approve', { requestId: asks.answer.error.details.requestId });
  t.match(refused.error, { message: 'missing scope: operator.admin' });
  wire.end();
});
