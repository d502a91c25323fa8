import t from 'tap';
import { Preauth } from '../../src/gateway/preauth.js';
import { limits } from '../../src/limits.js';
import { newKey } from '../support/device.js';
import { LOCAL_PEER, operatorOf, REMOTE_PEER, type SimWire, simulated, WITH_SECRET } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* What strangers may hold: so many sockets, for so long. */

t.test('sockets that nobody knows are capped by source and in all; those let in do not count', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const { preauthPerSource, preauthBytes } = limits.sockets;
  const total = preauthBytes / limits.wire.maxPayloadBytes;
  const held = Array.from({ length: preauthPerSource }, () => gateway.open(REMOTE_PEER));
  t.ok(held.every((wire) => wire !== undefined));
  t.equal(gateway.open(REMOTE_PEER), undefined);
  t.ok(gateway.open({ ...REMOTE_PEER, address: '203.0.113.8' }), 'another source has room');
  held[0]?.receiver?.closed(1005, '');
  t.ok(gateway.open(REMOTE_PEER), 'whoever leaves makes room');

  const crowd: (SimWire | undefined)[] = [];
  for (let n = 0; crowd.length < total - preauthPerSource - 1; n++)
    crowd.push(gateway.open({ ...REMOTE_PEER, address: `10.${n >> 8}.${n & 255}.1` }));
  t.ok(
    crowd.every((wire) => wire !== undefined),
    'no room too early',
  );
  t.ok((await operatorOf(gateway)).hello, 'programs of this host have room of their own');

  const late = gateway.open({ ...REMOTE_PEER, address: '192.0.2.1' });
  t.ok(late, 'one of many addresses gets room');
  t.match(held[1]?.closed, { code: 1013 }, 'from the source that holds most, its oldest');
  t.equal(held.filter((wire) => wire?.closed !== undefined).length, 1);
  t.equal(late?.closed, undefined);
  for (let n = 2; n < preauthPerSource; n++) gateway.open({ ...REMOTE_PEER, address: `192.0.2.${n}` });
  t.equal(gateway.open({ ...REMOTE_PEER, address: '192.0.2.99' }), undefined, 'where all have one, nobody gives way');
  await gateway.pass(limits.wire.handshakeMs + 1000);
  t.ok(gateway.open({ ...REMOTE_PEER, address: '192.0.2.1' }), 'and time makes room');
  const reasons = [...gateway.parts.ledger.log.query({ terms: ['type:connection.refused'] })].map(
    (event) => event.type === 'connection.refused' && event.data.reason,
  );
  t.ok(reasons.includes('preauth-displaced'), 'it is on the record');
});

t.test('the larger a message may be, the fewer may wait: the transport buffers it whole', async (t) => {
  const clock = new TestClock();
  for (const [maxPayloadBytes, room] of [
    [1 << 20, { network: 512, loopback: 1024 }],
    [25 << 20, { network: 20, loopback: 40 }],
  ] as const) {
    const preauth = new Preauth(clock, { handshakeMs: 1000, maxPayloadBytes });
    t.same({ network: preauth.room.network.most, loopback: preauth.room.loopback.most }, room);
    t.ok(room.network * maxPayloadBytes <= limits.sockets.preauthBytes);
    t.ok(room.loopback * maxPayloadBytes <= limits.sockets.preauthLoopbackBytes);
    preauth.stop();
  }
});

t.test(
  'a crowd of this host: as many as there is room for, and whoever is let in makes room for the next',
  async (t) => {
    const gateway = await simulated();
    t.teardown(() => gateway.stop());
    const { loopback } = gateway.front.preauth.room;
    for (let i = 0; i < 20; i++) t.ok((await operatorOf(gateway)).hello);
    for (let i = 0; i < loopback.most; i++) if (gateway.open(LOCAL_PEER) === undefined) t.fail('no room too early');
    t.equal(gateway.open(LOCAL_PEER), undefined);
    t.ok(gateway.open(REMOTE_PEER), 'which takes nothing from others');
  },
);

t.test('whoever says nothing is closed after fifteen seconds, whoever is being looked at is not', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const silent = gateway.open();
  await gateway.pass(limits.wire.handshakeMs - 1000);
  t.equal(silent?.closed, undefined);
  await gateway.pass(1500);
  t.same(silent?.closed, { code: 1000, reason: '' });
  await gateway.settle();
  t.match(
    [...gateway.parts.ledger.log.query({ terms: ['type:connection.refused'] })],
    [{ data: { reason: 'handshake-timeout' } }],
  );
});

t.test('a client that leaves while the log decides gets its closing in the log, not a session', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const key = newKey();
  const wire = await gateway.connect(key, WITH_SECRET, LOCAL_PEER);
  wire.end(1000, '');
  const ghost = gateway.open(LOCAL_PEER);
  const { connectParams } = await import('../support/device.js');
  ghost?.say({
    type: 'req',
    id: 'c',
    method: 'connect',
    params: connectParams(key, ghost.frames[0].payload, WITH_SECRET),
  });
  ghost?.end(1006, '');
  await gateway.settle();
  t.equal(gateway.parts.sessions.count, 0);
  t.equal(gateway.parts.ledger.views.connected.size(), 0);
  t.equal([...gateway.parts.ledger.log.query({ terms: ['type:connection.closed'] })].length, 2);
});
