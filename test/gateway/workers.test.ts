import { readFileSync, renameSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Event, EventOf } from '../../events/index.js';
import { limits } from '../../src/limits.js';
import { connect, newKey, REMOTE, type Wire } from '../support/device.js';
import { deafTo, forkedBy } from '../support/forks.js';
import { logOf, running, TOKEN } from '../support/gateway.js';
import { gatewayProcess, launch, openclaw, stateFolder } from '../support/process.js';

/* Several processes take connections, one writes the log: clients cannot tell. */

const OPERATOR = { scopes: ['operator.admin', 'operator.pairing', 'operator.read'], auth: { token: TOKEN } };
const ENV = { OPENCLAW_GATEWAY_TOKEN: TOKEN };

const of = <T extends Event['type']>(events: readonly Event[], type: T): readonly EventOf<T>[] =>
  events.filter((event) => event.type === type) as unknown as readonly EventOf<T>[];

/** Operators until there is one at each of two workers. The system deals connections out by chance. */
const crowd = async (port: number, state: string, size = 12): Promise<ReadonlyMap<string, Wire>> => {
  const wires = new Map<string, Wire>();
  for (let i = 0; i < size; i++) {
    const { wire, answer } = await connect(port, newKey(), OPERATOR);
    wires.set(answer.payload.server.connId, wire);
  }
  const workers = new Set(of(logOf(state), 'connection.accepted').map(({ data }) => data.worker));
  if (workers.size < 2) throw new Error('all connections are at one worker');
  return wires;
};

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const until = async (holds: () => boolean, what: string, ms = 20_000): Promise<void> => {
  for (let waited = 0; !holds(); waited += 50) {
    if (waited > ms) throw new Error(`not in time: ${what}`);
    await sleep(50);
  }
};

t.test('what one decides at one worker, those at the other hear and see', async (t) => {
  const { port, state } = await running(t, { flags: { workers: 2 } });
  const wires = [...(await crowd(port, state)).values()];
  const [boss] = wires as [Wire];
  const phone = newKey();
  const asked = await connect(port, phone, { scopes: ['operator.read'], auth: { token: TOKEN } }, REMOTE);
  t.match(asked.answer, { ok: false, error: { details: { code: 'PAIRING_REQUIRED' } } });
  const { requestId } = asked.answer.error.details;
  for (const wire of wires)
    t.match(await wire.next(({ event }) => event === 'device.pair.requested'), { payload: { requestId } });
  t.match(await boss.call('device.pair.approve', { requestId }), { ok: true });
  for (const wire of wires) {
    if (wire !== boss) await wire.next(({ event }) => event === 'device.pair.resolved');
    t.ok(wire.frames.some(({ event }) => event === 'device.pair.resolved'));
    const { payload } = await wire.call('device.pair.list', {});
    t.ok(
      payload.paired.some((device: { deviceId: string }) => device.deviceId === phone.id),
      'it reads what it heard of',
    );
    t.match(await wire.call('health', {}), { ok: true, payload: { ok: true } });
    t.match(await wire.call('nothing.there', {}), { ok: false });
    const told = wire.frames.flatMap(({ seq }) => seq ?? []);
    t.same(
      told,
      Array.from(told, (_, i) => told[0] + i),
      'and missed nothing',
    );
  }
});

t.test('who comes in reads of itself at once', async (t) => {
  forkedBy(t, (real) => deafTo('shown', real()));
  const { port } = await running(t, { flags: { workers: 2 } });
  const key = newKey();
  for (const version of ['2026.9.1', '2026.9.2', '2026.9.2']) {
    const { answer } = await connect(port, key, { ...OPERATOR, client: { mode: 'ui', version } });
    const { presence } = answer.payload.snapshot;
    t.match(presence[0], { mode: 'gateway', reason: 'self' });
    const own = presence.filter(({ deviceId }: { readonly deviceId?: string }) => deviceId === key.id);
    t.equal(own.length, 1);
    t.match(own[0], { mode: 'ui', reason: 'connect', version });
  }
});

t.test('those who came in at one worker are soon shown at the other', async (t) => {
  const { port, state } = await running(t, { flags: { workers: 2 } });
  await crowd(port, state);
  const key = newKey();
  await connect(port, key, { ...OPERATOR, client: { mode: 'ui' } });
  const workers = new Set<number>();
  for (let i = 0; i < 100 && workers.size < 2; i++) {
    await sleep(25);
    const { answer } = await connect(port, newKey(), OPERATOR);
    const { server, snapshot } = answer.payload;
    if (!snapshot.presence.some(({ deviceId }: { readonly deviceId?: string }) => deviceId === key.id)) continue;
    const [accepted] = of(logOf(state), 'connection.accepted').filter(({ data }) => data.connection === server.connId);
    if (accepted !== undefined) workers.add(accepted.data.worker);
  }
  t.equal(workers.size, 2);
});

t.test('whatever ends a right ends its sessions at every worker', async (t) => {
  const { port, state } = await running(t, { flags: { workers: 2 } });
  const [boss] = [...(await crowd(port, state)).values()] as [Wire];
  const phone = newKey();
  const asked = await connect(port, phone, { scopes: ['operator.read'], auth: { token: TOKEN } }, REMOTE);
  await boss.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  const sessions = await Promise.all(
    Array.from({ length: 8 }, () =>
      connect(port, phone, { scopes: ['operator.read'], auth: { token: TOKEN } }, REMOTE),
    ),
  );
  t.match(await boss.call('device.pair.remove', { deviceId: phone.id }), { ok: true });
  for (const { wire } of sessions) t.same(await wire.close(), { code: 4001, reason: 'device removed' });
  t.equal(boss.closed, undefined);
});

t.test('whose right has ended is not answered any more by its worker, closed or not', async (t) => {
  forkedBy(t, (real) => deafTo('end', real()));
  const { port, state } = await running(t, { flags: { workers: 2 } });
  const wires = [...(await crowd(port, state)).values()];
  const [boss] = wires as [Wire];
  const phone = newKey();
  const asked = await connect(port, phone, { scopes: ['operator.read'], auth: { token: TOKEN } }, REMOTE);
  await boss.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  const sessions = await Promise.all(
    Array.from({ length: 8 }, () =>
      connect(port, phone, { scopes: ['operator.read'], auth: { token: TOKEN } }, REMOTE),
    ),
  );
  for (const { wire } of sessions) t.match(await wire.call('status', {}), { ok: true });
  const changed = ({ event }: { readonly event?: string }): boolean => event === 'device.pair.changed';
  t.match(await boss.call('device.pair.remove', { deviceId: phone.id }), { ok: true });
  for (const wire of wires) if (!wire.frames.some(changed)) await wire.next(changed);
  for (const { wire } of sessions) wire.send({ type: 'req', id: 'late', method: 'status', params: {} });
  for (const wire of [...wires, ...wires]) t.match(await wire.call('status', {}), { ok: true });
  for (const { wire } of sessions) t.notOk(wire.frames.some(({ id }) => id === 'late'));
});

t.test('who guesses is locked out everywhere at once', async (t) => {
  const { port, state, stop } = await running(t, { flags: { workers: 2 } });
  const refusals: string[] = [];
  for (let i = 0; i < 16; i++) {
    const { wire, answer } = await connect(port, newKey(), { auth: { token: `a-guess-${i}` } }, REMOTE);
    refusals.push(answer.error.details.authReason ?? answer.error.details.code);
    await wire.close();
  }
  t.same(new Set(refusals.slice(0, 10)), new Set(['token_mismatch']));
  t.same(new Set(refusals.slice(11)), new Set(['rate_limited']));
  await stop();
  const events = logOf(state);
  t.same(
    of(events, 'source.locked')
      .map(({ data }) => data.scope)
      .sort(),
    ['device-token', 'shared-secret'],
  );
  t.equal(of(events, 'connection.refused').length, 16);
});

t.test('a worker that dies takes its connections along, on the record, and another takes its place', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  t.match(gateway.said.out, `workers: 2; they take the connections, PID ${gateway.pid} writes the log`);
  const wires = await crowd(gateway.port, state);
  const [victim = 0] = childrenOf(gateway.pid);
  process.kill(victim, 'SIGKILL');
  await until(() => of(logOf(state), 'gateway.worker-lost').length > 0, 'the loss is on the record');
  const events = logOf(state);
  const [lost] = of(events, 'gateway.worker-lost');
  const its = of(events, 'connection.accepted').filter(({ data }) => data.worker === lost?.data.worker);
  t.match(lost?.data, { connections: its.length, how: 'ended by SIGKILL' });
  for (const { data } of its) t.equal((await wires.get(data.connection)?.close())?.code, 1006);
  const left = [...wires.values()].filter((wire) => wire.closed === undefined);
  t.equal(left.length, wires.size - its.length);
  for (const wire of left) t.match(await wire.call('status', {}), { ok: true }, 'others go on');
  await gateway.until('another worker took its place: 2 of 2 are there');
  const numbers = new Set<number>();
  for (let i = 0; i < 400 && numbers.size < 2; i++) {
    await sleep(25);
    const { answer } = await connect(gateway.port, newKey(), OPERATOR);
    const { connId } = answer.payload.server;
    for (const { data } of of(logOf(state), 'connection.accepted'))
      if (data.connection === connId) numbers.add(data.worker);
  }
  t.same(
    [...numbers].sort(),
    [1, 2, 3].filter((number) => number !== lost?.data.worker),
  );
  t.match(await gateway.end(), { code: 0 });
  const all = logOf(state);
  const lostOf = (worker: number): boolean => worker === lost?.data.worker;
  const open = new Set(
    of(all, 'connection.accepted').flatMap(({ data }) => (lostOf(data.worker) ? [] : data.connection)),
  );
  for (const { data } of of(all, 'connection.closed')) t.ok(open.delete(data.connection));
  t.equal(open.size, 0, 'every other connection has its end on the record');
  t.equal(all.at(-1)?.type, 'gateway.stopped');
});

t.test('a worker that hangs is replaced', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const [victim = 0] = childrenOf(gateway.pid);
  process.kill(victim, 'SIGSTOP');
  await until(() => of(logOf(state), 'gateway.worker-lost').length > 0, 'it is noticed', 40_000);
  await until(() => childrenOf(gateway.pid).filter((pid) => pid !== victim).length === 2, 'another is there');
  t.match(await gateway.end(), { code: 0 });
});

/** Kills a worker of this process, and waits for what the log then says so many times. */
const killOne = async (lines: readonly string[], says: string, times: number): Promise<void> => {
  const [victim = 0] = childrenOf(process.pid).filter((pid) => commandOf(pid).includes('worker-process'));
  process.kill(victim, 'SIGKILL');
  await until(() => lines.filter((line) => line.includes(says)).length >= times, says);
};

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8');

t.test('a worker that the system does not start is tried again', async (t) => {
  let refuses = 0;
  forkedBy(t, (real) => {
    if (refuses-- > 0) throw new Error('no process for you');
    return real();
  });
  const { lines, state } = await running(t, { flags: { workers: 2 } });
  refuses = 2;
  await killOne(lines, 'no process for you', 2);
  await until(() => lines.some((line) => line.includes('took its place: 2 of 2')), 'another is there');
  t.equal(of(logOf(state), 'gateway.worker-lost').length, 1);
});

t.test('a worker that cannot begin is no worker that is lost', async (t) => {
  const { lines, state, settings } = await running(t, { flags: { workers: 2 } });
  renameSync(settings.paths.keys, `${settings.paths.keys}.away`);
  await killOne(lines, 'a worker cannot begin', 2);
  renameSync(`${settings.paths.keys}.away`, settings.paths.keys);
  await until(() => lines.some((line) => line.includes('took its place: 2 of 2')), 'another is there');
  t.equal(of(logOf(state), 'gateway.worker-lost').length, 1);
});

t.test('when the one that writes is killed, everybody is told to come back, and no process stays', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const wires = [...(await crowd(gateway.port, state)).values()];
  const workers = childrenOf(gateway.pid);
  await gateway.end('SIGKILL');
  for (const wire of wires) t.same(await wire.close(), { code: 1012, reason: 'service restart' });
  await until(() => !workers.some(isAlive), 'they end');
});

t.test('what a worker was about to tell the one that was killed is no fault of its own', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const wires = [...(await crowd(gateway.port, state)).values()];
  const workers = childrenOf(gateway.pid);
  const asking = setInterval(() => {
    for (const wire of wires)
      for (let id = 0; id < 20 && wire.closed === undefined; id++)
        wire.send({ type: 'req', id: String(id), method: 'system-presence', params: {} });
  }, 2);
  await sleep(300);
  await gateway.end('SIGKILL');
  for (const wire of wires) t.same(await wire.close(), { code: 1012, reason: 'service restart' });
  clearInterval(asking);
  await until(() => !workers.some(isAlive), 'they end');
  t.notMatch(gateway.said.err, /EPIPE/);
});

t.test('a stop tells everybody, and each end is on the record before it', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const wires = [...(await crowd(gateway.port, state)).values()];
  const workers = childrenOf(gateway.pid);
  const ended = gateway.end();
  for (const wire of wires) {
    t.match(await wire.next(({ event }) => event === 'shutdown'), { payload: { reason: 'gateway stopping' } });
    t.same(await wire.close(), { code: 1012, reason: 'service restart' });
  }
  t.match(await ended, { code: 0 });
  const events = logOf(state);
  t.equal(of(events, 'connection.closed').length, of(events, 'connection.accepted').length);
  t.ok(of(events, 'connection.closed').every(({ actor }) => actor.kind === 'gateway' && actor.rule === 'stop'));
  t.equal(events.at(-1)?.type, 'gateway.stopped');
  await until(() => !workers.some(isAlive), 'they end');
});

t.test('told twice at once, as by a supervisor that tells the group, too, it stops as if told once', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const workers = childrenOf(gateway.pid);
  /* So that it has not stopped before it hears the second; and two of one kind can become one on the way. */
  for (const worker of workers) process.kill(worker, 'SIGSTOP');
  process.kill(gateway.pid, 'SIGINT');
  const ended = gateway.end('SIGTERM');
  await until(() => gateway.said.out.includes('shutting down') || !isAlive(gateway.pid), 'it hears them');
  for (const worker of workers) process.kill(worker, 'SIGCONT');
  t.match(await ended, { code: 0 });
  t.equal(logOf(state).at(-1)?.type, 'gateway.stopped');
});

t.test('told again while it waits for workers that hang, it waits no longer', async (t) => {
  const state = stateFolder(t);
  const gateway = await gatewayProcess(t, state, ['--workers', '2'], ENV);
  const workers = childrenOf(gateway.pid);
  for (const worker of workers) process.kill(worker, 'SIGSTOP');
  process.kill(gateway.pid, 'SIGTERM');
  await gateway.until('shutting down');
  await sleep(limits.signals.sameMs + 100);
  const ended = gateway.end('SIGTERM');
  await until(() => !isAlive(gateway.pid), 'it ends');
  for (const worker of workers) process.kill(worker, 'SIGKILL');
  t.match(await ended, { code: 1, err: 'stopped before everything was closed' });
});

t.test('nobody is let in before the start is on the record', async (t) => {
  const port = await freePort();
  const state = stateFolder(t);
  const gateway = launch(state, ['gateway', 'run', '--workers', '4', '--port', String(port)], ENV);
  const ended = new Promise((resolve) => gateway.once('close', resolve));
  t.teardown(async () => {
    gateway.kill('SIGKILL');
    await ended;
  });
  const said = new Promise<void>((resolve) => {
    gateway.stdout?.on('data', (data) => String(data).includes('log file:') && resolve());
  });
  let listens = false;
  const knocking = async (): Promise<void> => {
    while (!listens) await connect(port, newKey(), OPERATOR).catch(() => sleep(10));
  };
  const knocks = Promise.all([knocking(), knocking(), knocking()]);
  await said;
  listens = true;
  await knocks;
  const events = logOf(state);
  t.equal(events[0]?.type, 'gateway.started');
  t.ok(of(events, 'connection.accepted').length > 0);
});

t.test('plain HTTP is answered by workers, too', async (t) => {
  const { port } = await running(t, { flags: { workers: 2 }, config: { audit: { tiles: true } } });
  await connect(port, newKey(), OPERATOR);
  for (const [path, holds] of [
    ['/healthz', /live/],
    ['/readyz', /ready/],
    ['/checkpoint', /^clawledger\//],
  ] as const) {
    let body = '';
    for (let i = 0; i < 40 && !holds.test(body); i++) {
      body = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
      if (!holds.test(body)) await sleep(100);
    }
    t.match(body, holds);
  }
});

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
};

t.test('a port that somebody else has, and a count that makes no sense, are said before anything starts', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const state = stateFolder(t);
  const taken = await openclaw(state, ['gateway', 'run', '--workers', '2', '--port', String(port)], ENV);
  t.match(taken, { code: 1, err: /already in use/ });
  for (const [count, code] of [
    ['65', 78],
    ['-1', 2],
    ['1.5', 2],
    ['two', 2],
    ['', 2],
  ] as const)
    t.match(await openclaw(state, ['gateway', 'run', '--workers', count], ENV), { err: /workers/, code });
});
