import { join } from 'node:path';
import t from 'tap';
import { connect, newKey, REMOTE, type Wire } from '../support/device.js';
import { logOf, TOKEN } from '../support/gateway.js';
import { gatewayProcess, openclaw, stateFolder } from '../support/process.js';
import { callsIn, descriptorsOf, strace, straceMissing } from '../support/strace.js';

/*
 * A kill cannot lose what is in the page cache, so that a yes is on the disk before it is said is shown by what the kernel was
 * asked for: LMDB writes the pages, waits for fdatasync, and then writes the page that makes them count through a descriptor
 * whose writes are on the disk when they return.
 */

const OWNER = { scopes: ['operator.admin'], auth: { token: TOKEN } };

const stranger = async (port: number): Promise<string> => {
  const { wire, answer } = await connect(port, newKey(), { auth: { token: TOKEN } }, REMOTE);
  wire.end();
  return answer.error.details.requestId;
};

t.test('every hello-ok and every approval is on the disk before it is said', { skip: straceMissing }, async (t) => {
  const state = stateFolder(t);
  const { pid, port } = await gatewayProcess(t, state, [], { OPENCLAW_GATEWAY_TOKEN: TOKEN });
  const { wire: boss } = await connect(port, newKey(), OWNER);
  const requests = await Promise.all(Array.from({ length: 20 }, () => stranger(port)));
  const { synced, plain } = descriptorsOf(pid, join(state, 'ledger', 'data.mdb'));
  t.equal(synced.length, 1);

  const file = join(state, 'strace.txt');
  const wanted = 'trace=fdatasync,fsync,pwrite64,pwritev,writev,write,sendto,sendmsg';
  const trace = await strace(pid, ['-v', '-s', '65535', '-e', wanted, '-o', file]);
  const wires: Wire[] = [];
  const approvals = async () => {
    const said = [];
    for (const requestId of requests) {
      t.ok((await boss.call('device.pair.approve', { requestId })).ok);
      said.push({ type: 'pairing.approved', name: requestId });
    }
    return said;
  };
  const hellos = requests.map(async () => {
    const { wire, answer } = await connect(port, newKey(), OWNER);
    wires.push(wire);
    return { type: 'connection.accepted', name: answer.payload.server.connId as string };
  });
  const said = (await Promise.all([approvals(), ...hellos])).flat();
  await trace.detach();
  for (const wire of wires) wire.end();

  const calls = callsIn(file);
  const after = (from: number, fits: (call: string) => boolean): number =>
    calls.findIndex((call, index) => index > from && fits(call));
  const writes = (fds: readonly string[], call: string): boolean =>
    fds.some(
      (fd) =>
        call.startsWith(`pwrite64(${fd},`) || call.startsWith(`writev(${fd},`) || call.startsWith(`pwritev(${fd},`),
    );
  for (const { type, name } of said) {
    /* One event: from its type on, with no other type between that and the name it carries. */
    const event = new RegExp(`\\\\"type\\\\":\\\\"${type}\\\\"(?:(?!\\\\"type\\\\":).)*${name}`);
    const written = after(-1, (call) => writes(plain, call) && event.test(call));
    const flushed = after(written, (call) =>
      plain.some(
        (fd) => call === `fdatasync(${fd}) = 0` || (call.startsWith(`fdatasync(${fd})`) && call.endsWith('= 0')),
      ),
    );
    const counts = after(flushed, (call) => writes(synced, call));
    const answered = after(-1, (call) => call.startsWith('send') && call.includes(name));
    t.ok(
      -1 < written && written < flushed && flushed < counts && counts < answered,
      `${type}: ${written} ${flushed} ${counts} ${answered}`,
    );
  }
});

t.test(
  'a disk that fails: nobody gets a yes, reads go on, and a restart finds the log whole',
  { skip: straceMissing },
  async (t) => {
    const state = stateFolder(t);
    const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const gateway = await gatewayProcess(t, state, [], env);
    const { wire: boss } = await connect(gateway.port, newKey(), OWNER);
    const requestId = await stranger(gateway.port);
    await boss.call('device.pair.list');
    const before = logOf(state).filter((event) => event.type !== 'connection.closed').length;

    const trace = await strace(gateway.pid, [
      '-e',
      'trace=fdatasync',
      '-e',
      'inject=fdatasync:error=EIO',
      '-o',
      '/dev/null',
    ]);
    const refused = { ok: false, error: { code: 'UNAVAILABLE', message: /log not writable/, retryable: true } };
    t.match(await boss.call('device.pair.approve', { requestId }), refused);
    await trace.detach();

    t.match(
      await boss.call('device.pair.approve', { requestId }),
      refused,
      'the disk may say yes again: it is not believed',
    );
    t.match((await boss.call('device.pair.list')).payload.pending, [{ requestId }], 'reads go on');
    const late = await connect(gateway.port, newKey(), OWNER);
    t.match(late.answer, refused);
    t.match(await late.wire.close(), { code: 1013 });
    t.match(await openclaw(state, ['health']), { code: 5, err: /log not writable/ });
    t.equal(boss.closed, undefined);
    t.match(await gateway.end(), { code: 0, err: /log/ });
    t.equal(
      logOf(state).filter((event) => event.type !== 'connection.closed').length,
      before,
      'what was refused is not there',
    );

    const again = await gatewayProcess(t, state, [], env);
    const { wire } = await connect(again.port, newKey(), OWNER);
    t.match(await wire.call('device.pair.approve', { requestId }), { ok: true });
    wire.end();
  },
);
