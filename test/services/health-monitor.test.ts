import t from 'tap';
import type { Fact } from '../../events/index.js';
import { limits } from '../../src/limits.js';
import { descriptors, disk, listener, loopDelay, wallClock } from '../../src/services/health-checks.js';
import { type Check, type Finding, HealthMonitor } from '../../src/services/health-monitor.js';
import { logOf, running } from '../support/gateway.js';
import { TestClock } from '../support/world.js';

/* What is looked at, what of it is an event, and what cannot keep it from looking. */

const monitored = (checks: readonly Check[]) => {
  const clock = new TestClock();
  const facts: Fact[] = [];
  const lines: string[] = [];
  const monitor = new HealthMonitor({
    clock,
    record: (fact) => facts.push(fact),
    tell: (line) => lines.push(line),
    intervalMs: limits.health.intervalMs,
  });
  const stop = monitor.begin(checks);
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  };
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await turns();
  };
  return { monitor, facts, lines, clock, pass, stop };
};

t.test('a change is an event and a line, being well is neither', async (t) => {
  let finding: Finding = { state: 'ok', evidence: 'fine' };
  let looks = 0;
  const look = (): Finding => {
    looks++;
    return finding;
  };
  const { monitor, facts, lines, pass, stop } = monitored([{ component: 'thing', look }]);
  await pass(limits.health.graceMs - 1);
  t.equal(looks, 0, 'a start has its time');
  await pass(1);
  t.equal(looks, 1);
  t.same([facts, lines], [[], []]);
  finding = { state: 'failed', evidence: 'broken' };
  await pass(limits.health.intervalMs);
  t.match(facts, [
    { type: 'health.changed', data: { component: 'thing', from: 'ok', to: 'failed', evidence: 'broken' } },
  ]);
  t.same(lines, ['thing: failed, was ok (broken)']);
  await pass(limits.health.intervalMs);
  t.equal(facts.length, 1, 'still broken is no news');
  t.match(monitor.components, [{ component: 'thing', state: 'failed', evidence: 'broken' }]);
  finding = { state: 'ok', evidence: 'mended' };
  await pass(limits.health.intervalMs);
  t.match(facts[1], { data: { from: 'failed', to: 'ok', evidence: 'mended' } });
  stop();
  const before = looks;
  await pass(2 * limits.health.intervalMs);
  t.equal(looks, before);
});

t.test('what can be begun again is, later each time, so often in an hour, and each is on the record', async (t) => {
  const { mendsAnHour, mendAfterMs, checkMs, graceMs } = limits.health;
  let well = false;
  const tries: string[] = ['throws', 'hangs'];
  const { facts, clock, pass } = monitored([
    {
      component: 'thing',
      look: () => (well ? { state: 'ok', evidence: 'well' } : { state: 'degraded', evidence: 'ill' }),
      mend: () => {
        const how = tries.shift();
        return how === 'hangs'
          ? new Promise(() => {})
          : how === 'throws'
            ? Promise.reject(new Error('no'))
            : Promise.resolve();
      },
    },
  ]);
  const mended = () => facts.flatMap((fact) => (fact.type === 'health.mended' ? [fact.data] : []));
  await pass(graceMs);
  t.match(mended(), [{ component: 'thing', attempt: 1, outcome: 'failed', evidence: 'no' }]);
  for (let minutes = 0; minutes < 55; minutes++) {
    await pass(60_000);
    await pass(checkMs);
  }
  t.match(mended()[1], { attempt: 2, outcome: 'failed', evidence: /no answer/ });
  t.match(mended().at(-1), { attempt: mendsAnHour, outcome: 'done', evidence: undefined });
  t.equal(mended().length, mendsAnHour, 'and then it is left alone');
  well = true;
  await pass(60 * 60_000);
  t.match(facts.at(-1), { type: 'health.changed', data: { component: 'thing', from: 'degraded', to: 'ok' } });
  t.ok(mendAfterMs * 2 ** mendsAnHour < clock.monotonic());
});

t.test('what hangs or throws has failed, and keeps nobody', async (t) => {
  const { monitor, pass } = monitored([
    { component: 'hangs', look: () => new Promise(() => {}) },
    { component: 'throws', look: () => Promise.reject(new Error('no such thing')) },
    { component: 'fine', look: () => ({ state: 'ok', evidence: '' }) },
  ]);
  await pass(limits.health.graceMs);
  t.same(
    monitor.components.map(({ component, state }) => [component, state]),
    [
      ['throws', 'failed'],
      ['fine', 'ok'],
    ],
  );
  await pass(limits.health.checkMs);
  t.match(monitor.components.at(-1), { component: 'hangs', state: 'failed', evidence: /no answer within/ });
});

const look = async (check: Check): Promise<Finding> => check.look();

t.test('what the checks see here', async (t) => {
  t.match(await look(disk('/')), { state: /^(ok|degraded)$/, evidence: /^\d+ MiB free$/ });
  await t.rejects(look(disk('/no/such/folder')), { code: 'ENOENT' });
  t.match(await look(descriptors(1_000_000)), { state: 'ok' });
  t.match(await look(descriptors(1)), { state: 'degraded', evidence: /of 1 open/ });
  t.match(await look(loopDelay()), { state: 'ok', evidence: /^p99 \d+ ms/ });
  const clock = new TestClock();
  const check = wallClock(clock);
  clock.pass(60_000);
  t.match(await look(check), { state: 'ok' });
  clock.set(3_600_000);
  t.match(await look(check), { state: 'degraded', evidence: '3600000 ms off since the last look' });
  t.match(await look(check), { state: 'ok' }, 'and then it goes on');
  t.match(await look(listener('ws://127.0.0.1:1/')), { state: 'failed', evidence: /ECONNREFUSED/ });
});

t.test('a gateway looks at itself, and leaves no trace in its log', async (t) => {
  const { gateway, clock, port, state, lines } = await running(t);
  const components = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    return { status: answer.status, body: await answer.json() };
  };
  clock.skip(limits.health.graceMs);
  await new Promise((resolve) => setTimeout(resolve, 500));
  t.match(await components(), { status: 200, body: { ready: true } });
  const types = logOf(state).map(({ type }) => type);
  t.notOk(types.includes('connection.refused'));
  t.notOk(types.includes('health.changed'), String(lines));
  t.ok(gateway.listening.length > 0);
});
