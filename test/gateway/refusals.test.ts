import t from 'tap';
import type { Fact } from '../../events/index.js';
import type { RefusalRecord } from '../../src/gateway/refusal-record.js';
import { Refusals } from '../../src/gateway/refusals.js';
import { Link } from '../../src/gateway/workers/link.js';
import type { FromWorker } from '../../src/gateway/workers/messages.js';
import { RefusalRelay } from '../../src/gateway/workers/refusal-relay.js';
import { limits } from '../../src/limits.js';
import { newKey } from '../support/device.js';
import { guestOf, operatorOf, REMOTE_PEER, simulated } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* What a flood of refusals leaves in the log: a budget a minute, the rest counted in one event. */

const refusal = (source: string, more: Partial<RefusalRecord> = {}, reason = 'token_mismatch'): RefusalRecord => ({
  data: { connection: 'c', reason, close: { code: 1008, reason } },
  origin: { address: source },
  source,
  known: false,
  ...more,
});

const world = () => {
  const facts: Fact[] = [];
  const clock = new TestClock();
  const refusals = new Refusals({
    boot: 'b',
    clock,
    fingerprintOf: (s) => `fp-${s}`,
    record: (fact) => facts.push(fact),
  });
  const told = () => facts.filter(({ type }) => type === 'connection.refused').length;
  const summaries = () => facts.flatMap((fact) => (fact.type === 'connection.refusals-summarised' ? [fact.data] : []));
  return { refusals, clock, told, summaries };
};

t.test('one source: its budget, then a count', async (t) => {
  const { refusals, clock, told, summaries } = world();
  for (let i = 0; i < 500; i++) refusals.record(refusal('a'));
  t.equal(told(), limits.refusals.perSource + 1, 'the first of its reason is outside the budget');
  clock.pass(limits.refusals.windowMs);
  t.match(summaries(), [{ total: 500 - told(), reasons: { token_mismatch: 500 - told() }, sources: ['fp-a'] }]);
  clock.pass(limits.refusals.windowMs);
  t.equal(summaries().length, 1, 'nothing to tell, nothing told');
});

t.test('many sources: a budget for all', async (t) => {
  const { refusals, clock, told, summaries } = world();
  for (let i = 0; i < 20_000; i++) refusals.record(refusal(`s${i % 5000}`));
  t.equal(told(), limits.refusals.firsts + limits.refusals.total);
  clock.pass(limits.refusals.windowMs);
  const [summary] = summaries();
  t.equal(summary?.total, 20_000 - told());
  t.equal(summary?.sources.length, limits.refusals.named);
});

t.test('a reason that is new from a source is told even when the budget is spent', async (t) => {
  const { refusals, told } = world();
  for (let i = 0; i < 100; i++) refusals.record(refusal('a'));
  const before = told();
  refusals.record(refusal('a', {}, 'device-signature'));
  t.equal(told(), before + 1);
});

t.test('what is known has a budget of its own, and is always named', async (t) => {
  const { refusals, clock, told, summaries } = world();
  const shows = (credential: string): Partial<RefusalRecord> => ({
    known: true,
    data: { connection: 'c', reason: 'x', close: { code: 1008, reason: 'x' }, credential },
  });
  for (let i = 0; i < 1000; i++) refusals.record(refusal(`s${i}`));
  const before = told();
  for (let i = 0; i < 100; i++) refusals.record(refusal('s1', shows('dead')));
  t.equal(told() - before, limits.refusals.perSource, 'a dead token in the hands of a stranger cannot grow the log');
  for (let n = 0; n < 40; n++) for (let i = 0; i < 100; i++) refusals.record(refusal('s1', shows(`known-${n}`)));
  t.equal(told() - before, 41 * limits.refusals.perSource);
  clock.pass(limits.refusals.windowMs);
  t.equal(summaries()[0]?.credentials.length, 41);
});

t.test('known is a paired device that proves its key, and a credential that was ever ours', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, wire } = await guestOf(gateway, operator);
  const { deviceToken } = wire.hello.auth;
  await operator.call('device.token.revoke', { deviceId: key.id, role: 'operator' });
  const elsewhere = (n: number) => ({ ...REMOTE_PEER, address: `198.51.100.${n}` });
  for (let n = 0; n < 40; n++) await gateway.connect(newKey(), { auth: { token: 'wrong' } }, elsewhere(1));
  for (let n = 0; n < 30; n++) await gateway.connect(newKey(), { auth: { deviceToken } }, elsewhere(n + 2));
  await gateway.settle();
  const refused = [...gateway.parts.ledger.log.query({ terms: ['type:connection.refused'] })];
  const credential = gateway.parts.keys.fingerprint(deviceToken);
  t.equal(
    refused.filter(({ data }) => 'credential' in data && data.credential === credential).length,
    30,
    'a leaked token leaves a trace each time',
  );
  t.ok(refused.filter(({ origin }) => origin?.address === '198.51.100.1').length <= limits.refusals.perSource + 2);
});

t.test('what a flood at a worker must not hide reaches the log one by one', async (t) => {
  const said: FromWorker[] = [];
  const link = new Link<FromWorker>((batch) => said.push(...batch) > 0);
  const relay = new RefusalRelay(new TestClock(), link);
  const closed = { connection: 'c', peer: REMOTE_PEER, close: { code: 1008, reason: '' } };
  for (let i = 0; i < 10 * limits.workers.refusals; i++) relay.record(refusal('flood'), closed);
  for (let i = 0; i < 500; i++)
    relay.record(
      refusal('thief', {
        known: true,
        data: { connection: 'c', reason: 'token_mismatch', close: { code: 1008, reason: '' }, credential: 'stolen' },
      }),
      closed,
    );
  relay.record(refusal('stranger'), closed);
  link.flush();
  const told = said.flatMap((message) => (message.is === 'refused' ? [message.refusal.source] : []));
  const of = (source: string) => told.filter((other) => other === source).length;
  t.equal(of('thief'), limits.refusals.perSource + 1, 'a credential that is or was one of ours');
  t.equal(of('stranger'), 1, 'the first of a source');
  t.ok(of('flood') <= limits.workers.refusals + limits.refusals.perSource + 1);
  relay.turn();
  link.flush();
  const { refusals, clock, summaries } = world();
  for (const message of said) {
    if (message.is === 'refused') refusals.record(message.refusal);
    if (message.is === 'counted') refusals.add(message.counted);
  }
  clock.pass(limits.refusals.windowMs);
  t.match(summaries(), [{ credentials: ['stolen'] }]);
});
