import t, { type Test } from 'tap';
import type { Fact } from '../../events/index.js';
import { Limiter } from '../../src/gateway/limiter.js';
import { emptyViews } from '../../src/ledger/draft.js';
import { limits } from '../../src/limits.js';
import { newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { LOCAL_PEER, operatorOf, REMOTE_PEER, type Simulated, simulated, WITH_SECRET } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* Who guesses is made to wait (protocol.md §5.7), and a lock-out is an event. */

const guess = async (gateway: Simulated, peer = REMOTE_PEER, auth: object = { token: 'wrong' }) =>
  (await gateway.connect(newKey(), { auth }, peer)).answer?.error;

const start = async (t: Test) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  return gateway;
};

t.test('ten wrong secrets in a minute, and even the right one is not heard for five', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 10; i++) t.match(await guess(gateway), { details: { code: 'AUTH_TOKEN_MISMATCH' } });
  const right = await guess(gateway, REMOTE_PEER, { token: TOKEN });
  t.match(right, {
    message: 'unauthorized: too many failed authentication attempts (retry later)',
    details: { code: 'AUTH_RATE_LIMITED', recommendedNextStep: 'wait_then_retry' },
    retryable: true,
  });
  t.ok(right.retryAfterMs > 290_000 && right.retryAfterMs <= 300_000);
  t.match(
    await guess(gateway, { ...REMOTE_PEER, address: '203.0.113.8' }),
    { details: { code: 'AUTH_TOKEN_MISMATCH' } },
    'others are heard',
  );
  await gateway.pass(300_000);
  t.match(await guess(gateway, REMOTE_PEER, { token: TOKEN }), { details: { code: 'PAIRING_REQUIRED' } });
});

t.test('the lock-out is an event that names the source by fingerprint only, and it survives a restart', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 10; i++) await guess(gateway);
  const events = [...gateway.parts.ledger.log.query({ terms: ['type:source.locked'] })];
  t.same(
    events.map(({ data }) => 'scope' in data && data.scope),
    ['device-token', 'shared-secret'],
    'a guess that may be either counts as both',
  );
  const locked = events.at(-1);
  t.match(locked, { data: { failures: 10 }, origin: { address: REMOTE_PEER.address } });
  const { origin, ...record } = locked ?? {};
  t.notMatch(JSON.stringify(record), REMOTE_PEER.address);
  const { clock, keys, ledger, settings } = gateway.parts;
  const next = new Limiter({ clock, keys, views: () => ledger.views, record: () => {}, limits: settings.limiter });
  t.ok(next.lockedFor('shared-secret', { source: REMOTE_PEER.address, loopback: false }) > 0);
});

t.test('strangers behind a proxy on this host cannot lock its programs out, nor each other', async (t) => {
  const gateway = await simulated({ trustedProxies: ['127.0.0.1'] });
  t.teardown(() => gateway.stop());
  const behind = (forwardedFor: string, origin = '') => ({ ...LOCAL_PEER, forwarded: true, forwardedFor, origin });
  const page = 'http://127.0.0.1:18789';
  for (let i = 0; i < 15; i++) await guess(gateway, behind('203.0.113.66', page));
  t.match(await guess(gateway, behind('203.0.113.66', page)), { details: { code: 'AUTH_RATE_LIMITED' } });
  t.match(await guess(gateway, behind('203.0.113.77', page)), { details: { code: 'AUTH_TOKEN_MISMATCH' } });
  t.ok((await operatorOf(gateway)).hello);
});

t.test('whoever has thousands of addresses fills neither the log nor the memory with lock-outs', async (t) => {
  const clock = new TestClock();
  const facts: Fact[] = [];
  const limiter = new Limiter({
    clock,
    keys: { source: (address) => address },
    views: () => ({ sources: emptyViews.sources }),
    record: (fact) => facts.push(fact),
    limits: limits.limiter,
  });
  const guesser = (n: number) => ({ source: `s${n}`, loopback: false });
  const many = limits.limiter.sources + 100;
  for (let n = 0; n < many; n++)
    for (let i = 0; i < limits.limiter.failures; i++) limiter.failed('signature', guesser(n));
  t.equal(facts.length, limits.limiter.recorded);
  t.equal(limiter.lockedFor('signature', guesser(many - 1)), limits.limiter.lockMs, 'locked out all the same');
  t.equal(limiter.lockedFor('signature', guesser(0)), 0, 'the oldest makes room');
  clock.pass(limits.limiter.lockMs);
  for (let i = 0; i < limits.limiter.failures; i++) limiter.failed('signature', guesser(1));
  t.equal(facts.length, limits.limiter.recorded + 1, 'what is over makes room on the record');
});

t.test('a missing secret is no guess', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 15; i++)
    t.match(await guess(gateway, REMOTE_PEER, {}), { details: { code: 'AUTH_TOKEN_MISSING' } });
});

t.test('an IPv6 network counts as one source', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 10; i++) await guess(gateway, { ...REMOTE_PEER, address: `2001:db8:1:2::${i + 1}` });
  t.match(await guess(gateway, { ...REMOTE_PEER, address: '2001:db8:1:2:ffff::1' }), {
    details: { code: 'AUTH_RATE_LIMITED' },
  });
  t.match(await guess(gateway, { ...REMOTE_PEER, address: '2001:db8:1:3::1' }), {
    details: { code: 'AUTH_TOKEN_MISMATCH' },
  });
});

t.test('programs on this host are delayed, never locked out', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 12; i++) {
    const wire = await gateway.connect(newKey(), { auth: { token: 'wrong' } }, LOCAL_PEER);
    if (i === 3) t.equal(wire.answer, undefined, 'the fourth waits for a second');
    await gateway.pass(5000);
    t.match(wire.answer.error, { details: { code: 'AUTH_TOKEN_MISMATCH' } });
  }
  const right = await gateway.connect(newKey(), { auth: { token: TOKEN } }, LOCAL_PEER);
  await gateway.pass(5000);
  t.ok(right.hello);
});

t.test('a browser on this host is locked out like anybody, whatever origin it says', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 10; i++)
    t.match(await guess(gateway, { ...LOCAL_PEER, origin: `http://localhost:${5000 + i}` }), {
      details: { code: 'AUTH_TOKEN_MISMATCH' },
    });
  t.match(await guess(gateway, { ...LOCAL_PEER, origin: 'http://localhost:80' }), {
    details: { code: 'AUTH_RATE_LIMITED' },
  });
  t.ok((await operatorOf(gateway)).hello, 'and a program of this host is not');
});

t.test('a wrong device token of a proven device counts against device tokens, not against the secret', async (t) => {
  const gateway = await start(t);
  for (let i = 0; i < 10; i++)
    t.match(await guess(gateway, REMOTE_PEER, { deviceToken: 'wrong' }), {
      details: { code: 'AUTH_DEVICE_TOKEN_MISMATCH' },
    });
  t.match(await guess(gateway, REMOTE_PEER, { deviceToken: 'wrong' }), { details: { code: 'AUTH_RATE_LIMITED' } });
  t.match((await gateway.connect(newKey(), WITH_SECRET)).answer.error, { details: { code: 'PAIRING_REQUIRED' } });
});

t.test('success forgets what was wrong before', async (t) => {
  const gateway = await start(t);
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 9; i++) await guess(gateway);
    t.match(await guess(gateway, REMOTE_PEER, { token: TOKEN }), { details: { code: 'PAIRING_REQUIRED' } });
  }
});

t.test('signatures that do not verify are counted too: they cost the most', async (t) => {
  const gateway = await start(t);
  const liar = { ...newKey(), sign: newKey().sign };
  for (let i = 0; i < 10; i++)
    t.match((await gateway.connect(liar, WITH_SECRET)).answer.error, {
      details: { code: 'DEVICE_AUTH_SIGNATURE_INVALID' },
    });
  t.match((await gateway.connect(liar, WITH_SECRET)).answer.error, { details: { code: 'AUTH_RATE_LIMITED' } });
});
