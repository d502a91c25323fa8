import t from 'tap';
import { SignatureBudget } from '../../src/gateway/signature-budget.js';
import { limits } from '../../src/limits.js';
import { newKey } from '../support/device.js';
import { guestOf, LOCAL_PEER, operatorOf, REMOTE_PEER, simulated, WITH_SECRET } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* The dearest thing a stranger can ask for is rationed; whoever shows a credential of ours does not feel it. */

const { perSource, total } = limits.signature;
const REMOTE = { local: false, address: '', loopback: false, hostSocket: false };
const STRANGER = { auth: {}, scopes: ['operator.read'] };

t.test('strangers have so many signatures checked a second, by source and in all', async (t) => {
  const clock = new TestClock();
  const budget = new SignatureBudget(clock);
  const at = (source: string, local = false) =>
    budget.spend({ source, local, address: source, loopback: local, hostSocket: false });
  clock.pass(5000);
  for (let i = 0; i < perSource; i++) t.equal(at('a'), 0);
  t.equal(at('a'), 1000, 'and is told when to come back');
  clock.pass(400);
  t.equal(at('a'), 600);
  for (let i = perSource; i < total; i++) if (at(`s${i}`) !== 0) t.fail('refused too early');
  t.equal(at('z'), 600);
  t.equal(at('z', true), 0, 'programs of this host are not strangers');
  clock.pass(600);
  t.equal(at('a'), 0);
  t.equal(new SignatureBudget(clock, 1000).spend({ ...REMOTE, source: 'a' }), 0, 'a part of it is never none');
});

t.test('beyond it they are told when to come back, and nothing is checked', async (t) => {
  const gateway = await simulated({ auth: { mode: 'token', rateLimit: { maxAttempts: 1000 } } });
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const token = (await guestOf(gateway, operator)).wire.hello.auth.deviceToken;
  const { key } = await guestOf(gateway, operator);
  const answers = [];
  for (let i = 0; i < perSource + 5; i++) answers.push((await gateway.connect(newKey(), STRANGER)).answer);
  t.same(
    answers.map(({ error }) => error.details.code),
    [...Array(perSource).fill('AUTH_TOKEN_MISSING'), ...Array(5).fill('AUTH_RATE_LIMITED')],
  );
  t.ok(answers.at(-1).error.retryAfterMs > 0 && answers.at(-1).error.retryAfterMs <= 1000);
  t.ok((await gateway.connect(key, WITH_SECRET)).hello, 'who knows the secret comes in, from the same address');
  const other = await gateway.connect(newKey(), { auth: { deviceToken: token }, scopes: ['operator.read'] });
  t.match(
    other.answer,
    { ok: false, error: { details: { code: 'AUTH_RATE_LIMITED' } } },
    "another's token vouches for nobody",
  );
  t.ok((await operatorOf(gateway)).hello, 'and so do programs of this host');
  t.not(LOCAL_PEER.address, REMOTE_PEER.address);
});

t.test('who shows its own device token comes in all the same', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const { key, wire } = await guestOf(gateway, await operatorOf(gateway));
  for (let i = 0; i < perSource; i++) await gateway.connect(newKey(), STRANGER);
  const { deviceToken } = wire.hello.auth;
  t.ok((await gateway.connect(key, { auth: { deviceToken }, scopes: ['operator.read'] })).hello);
});
