import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Archived } from '../../src/ledger/archiver.js';
import { Archiver } from '../../src/ledger/archiver.js';
import { limits } from '../../src/limits.js';
import { beginRetention } from '../../src/services/retention.js';
import { running } from '../support/gateway.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { operatorOf, simulated } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* What the clock moves to the archive, and what people ask of it. */

const DAY = 24 * 3_600_000;

const begun = async (path: string, archiveAfterMs: number | undefined) => {
  const clock = new TestClock();
  const ledger = await openLedger(path, { clock });
  const archiver = new Archiver({ ledger });
  const runs: Archived[] = [];
  const failures: unknown[] = [];
  const stop = beginRetention({
    clock,
    archiver,
    archiveAfterMs,
    done: (archived) => runs.push(archived),
    failed: (error) => failures.push(error),
  });
  /** Time passes, and a run that began is over. */
  const pass = async (ms: number): Promise<void> => {
    clock.pass(ms);
    await new Promise(setImmediate);
    await archiver.run({ before: 0, by: { kind: 'gateway', rule: 'test' }, dryRun: true });
  };
  return { clock, ledger, runs, failures, stop, pass };
};

t.test('some minutes after the start, then once a day, what is older than the setting', async (t) => {
  const { ledger, runs, failures, stop, pass } = await begun(folder(t), 2 * DAY);
  await write(ledger, ticked(1), ticked(2));
  await pass(limits.archive.firstRunMs);
  t.same(runs, [], 'nothing is old yet');
  await pass(DAY);
  await write(ledger, ticked(3));
  await pass(DAY);
  t.match(runs, [{ events: 2 }]);
  await pass(DAY);
  await pass(DAY);
  t.match(runs, [{ events: 2 }, { events: 1 }]);
  t.match(
    [...ledger.log.range()].find(({ type }) => type === 'log.archived'),
    {
      actor: { kind: 'gateway', rule: 'retention' },
    },
  );
  stop();
  await write(ledger, ticked(4));
  await pass(DAY);
  await pass(DAY);
  t.equal(runs.length, 2, 'not after it was stopped');
  t.same(failures, []);
  await ledger.close();
});

t.test('never, if it is switched off', async (t) => {
  const { ledger, runs, pass } = await begun(folder(t), undefined);
  await write(ledger, ticked(1));
  await pass(2 * DAY);
  t.same(runs, []);
  await ledger.close();
});

t.test('a disk that cannot take it is told, and tried again the next day', async (t) => {
  const path = folder(t);
  const { ledger, runs, failures, pass } = await begun(path, DAY);
  await write(ledger, ticked(1));
  writeFileSync(join(path, 'archive'), 'in the way');
  await pass(2 * DAY);
  t.equal(failures.length, 1);
  t.match(ledger.health, { writable: true }, 'the gateway goes on');
  t.equal(ledger.log.event(1)?.seq, 1);
  rmSync(join(path, 'archive'));
  await pass(DAY);
  t.match(runs, [{ events: 1 }]);
  await ledger.close();
});

t.test('over the wire: run, list, hold, release', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  await gateway.record(ticked(1), ticked(2));
  await gateway.pass(3_600_000);
  /** Answers that take longer than a turn of the loop. */
  const call = async (method: string, params: object): Promise<unknown> => {
    const told = operator.frames.length;
    await operator.call(method, params);
    while (!operator.frames.slice(told).some(({ type }) => type === 'res')) await gateway.settle();
    return operator.frames.slice(told).find(({ type }) => type === 'res');
  };
  t.match(await call('archive.list', {}), { payload: { archiveAfterMs: 90 * DAY, hold: null, segments: [] } });
  t.match(await call('archive.run', {}), { ok: true, payload: { events: 0, segments: [], dryRun: false } });
  t.match(await call('archive.hold', { reason: 'a case\u001b[2J is open' }), {
    payload: { changed: true, hold: { reason: 'a case [2J is open' } },
  });
  t.match(await call('archive.hold', {}), { payload: { changed: false, hold: { reason: 'a case [2J is open' } } });
  t.match(await call('archive.run', { olderThanMs: 0 }), { ok: false, error: { message: /hold is in force/ } });
  t.match(await call('archive.run', { olderThanMs: 0, dryRun: true }), {
    payload: { dryRun: true, segments: [{ segment: /^\d{15}-\d{15}\.(gz|zst)$/ }] },
  });
  t.match(await call('archive.release', {}), { payload: { changed: true, hold: null } });
  t.match(await call('archive.release', {}), { payload: { changed: false, hold: null } });
  t.match(await call('archive.run', { olderThanMs: 0 }), { ok: true, payload: { dryRun: false, segments: [{}] } });
  t.match(await call('archive.list', {}), { payload: { hold: null, segments: [{ events: Number, sha256: String }] } });
  const archived = [...gateway.parts.ledger.log.query({ terms: ['type:log.archived'] })];
  t.match(archived, [{ actor: { kind: 'connection' } }], 'by whom is on the record');
});

t.test('a gateway archives, stops, and starts with what is missing', async (t) => {
  const first = await running(t);
  first.clock.skip(limits.archive.firstRunMs);
  await new Promise((done) => setTimeout(done, 100));
  first.clock.skip(91 * DAY);
  const archive = join(first.state, 'ledger', 'archive');
  mkdirSync(archive, { recursive: true });
  for (let i = 0; i < 500 && readdirSync(archive).length === 0; i++) await new Promise((done) => setTimeout(done, 10));
  await first.stop();
  t.match(first.lines.join('\n'), /old events moved to the archive/);
  const [segment = ''] = readdirSync(archive);
  rmSync(join(archive, segment));
  const again = await running(t, { state: first.state });
  t.match(again.lines.join('\n'), new RegExp(`archive segment ${segment} .* cannot be read: its file is missing`));
});
