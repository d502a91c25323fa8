import t from 'tap';
import type { Place } from '../../src/gateway/place.js';
import { Preauth } from '../../src/gateway/preauth.js';
import { limits } from '../../src/limits.js';
import type { Peer } from '../../src/transport/transport.js';
import { newKey } from '../support/device.js';
import { LOCAL_PEER, operatorOf, REMOTE_PEER, type Simulated, simulated, WITH_SECRET } from '../support/simulated.js';
import { TestClock } from '../support/world.js';

/* What strangers may hold: so many sockets, for so long. */

const { network, loopback, silentMs } = limits.preauth;
const MOST = network.sockets;
const from = (address: string) => ({ ...REMOTE_PEER, address });
const stranger = (n: number) => from(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);

const upgradesOf = (gateway: Simulated, count: number, peer: (i: number) => Peer) =>
  Array.from({ length: count }, (_, i) => gateway.knock(peer(i)));

t.test(
  'a source has so many sockets that nobody knows; what comes beyond waits until one of them is gone',
  async (t) => {
    const gateway = await simulated();
    t.teardown(() => gateway.stop());
    const held = upgradesOf(gateway, network.perSource, () => REMOTE_PEER);
    t.ok(held.every(({ wire }) => wire !== undefined));
    const [second, third, gone] = upgradesOf(gateway, 3, () => REMOTE_PEER);
    gone?.abort();
    t.same([second?.wire, second?.refused], [undefined, undefined]);
    t.ok(gateway.open(from('203.0.113.8')), 'another source has room');
    held[0]?.wire?.end(1005, '');
    t.ok(second?.wire, 'whoever leaves makes room');
    t.notOk(third?.wire);
    held[1]?.wire?.end(1005, '');
    held[2]?.wire?.end(1005, '');
    t.ok(third?.wire);
    t.notOk(gone?.wire, 'who went away has no turn');
    t.ok((await operatorOf(gateway)).hello, 'those let in do not count');
  },
);

t.test('who waits too long, or comes when too many wait, is told to come back', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  upgradesOf(gateway, network.perSource, () => REMOTE_PEER);
  const waiting = upgradesOf(gateway, network.queuedPerSource, () => REMOTE_PEER);
  t.notOk(waiting.some(({ refused }) => refused));
  t.match(gateway.knock(REMOTE_PEER).refused, { status: /^503/, headers: { 'retry-after': '1' } });
  const all = upgradesOf(gateway, network.queued + MOST, stranger);
  t.notOk(all[MOST - network.perSource - 1]?.refused);
  t.match(all.at(-1)?.refused, { status: /^503/ }, 'of all of them there are not more than that, either');
  for (const { wire } of all) wire?.receiver?.closed(1006, '');
  await gateway.pass(limits.wire.handshakeMs + 1000);
  t.ok(
    waiting.every(({ wire, refused }) => wire !== undefined || refused !== undefined),
    'nobody waits for ever',
  );
});

t.test('sources take turns, however much one of them has waiting', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const crowd = upgradesOf(gateway, MOST, stranger);
  const many = upgradesOf(gateway, 100, () => from('198.51.100.1'));
  const few = gateway.knock(from('198.51.100.2'));
  t.notOk(many[0]?.wire);
  for (const i of [0, 1]) crowd[i]?.wire?.receiver?.closed(1006, '');
  t.ok(many[0]?.wire);
  t.ok(few.wire);
  t.notOk(many[1]?.wire);
});

t.test('one that only holds sockets gives way to those that have fewer', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const holding = upgradesOf(gateway, MOST, (i) => stranger(Math.floor(i / network.perSource)));
  const more = upgradesOf(gateway, 200, (i) => stranger(i % 4));
  t.ok(holding.every(({ wire }) => wire !== undefined));
  const soon = gateway.knock(from('192.0.2.1'));
  t.notOk(soon.wire, 'whoever is new may still speak');
  await gateway.pass(silentMs + 300);
  t.ok(soon.wire, 'and then gives way');
  const late = gateway.knock(from('192.0.2.2'));
  t.ok(late.wire, 'to the next at once');
  const displaced = holding.filter(({ wire }) => wire?.closed !== undefined);
  t.ok(displaced.length >= 2);
  for (const { wire } of displaced) t.match(wire?.closed, { code: 1013 });
  t.equal(late.wire?.closed, undefined);
  t.ok(more.filter(({ wire }) => wire).length <= displaced.length, 'what they have waiting takes no more room');
  t.ok((await operatorOf(gateway)).hello, 'programs of this host have room of their own');
  await gateway.settle();
  const reasons = [...gateway.parts.ledger.log.query({ terms: ['type:connection.refused'] })].map(
    (event) => event.type === 'connection.refused' && event.data.reason,
  );
  t.ok(reasons.includes('preauth-displaced'), 'it is on the record');
});

t.test('whose turn it is and who has as many as any other keeps nobody waiting who has none', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const sources = MOST / network.perSource + 1;
  upgradesOf(gateway, MOST, (i) => stranger(i % sources));
  const more = upgradesOf(gateway, sources, stranger);
  const late = gateway.knock(from('192.0.2.1'));
  t.notOk(late.wire);
  await gateway.pass(silentMs + 300);
  t.ok(late.wire);
  t.notOk(more.some(({ wire }) => wire));
});

t.test('many sources with one silent socket each keep nobody out for long', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const holding = upgradesOf(gateway, MOST, stranger);
  await gateway.pass(silentMs + 300);
  t.ok(gateway.knock(from('192.0.2.1')).wire);
  t.equal(holding.filter(({ wire }) => wire?.closed !== undefined).length, 1);
});

t.test('a source that has most, and comes and goes, does not cover for others that are silent', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const { perSource } = network;
  upgradesOf(gateway, MOST - perSource, (i) => stranger(1 + Math.floor(i / (perSource - 1))));
  await gateway.pass(silentMs + 300);
  const fresh = upgradesOf(gateway, perSource, () => stranger(0));
  t.ok(fresh.every(({ wire }) => wire !== undefined));
  t.ok(gateway.knock(from('192.0.2.1')).wire);
  t.ok(fresh.every(({ wire }) => wire?.closed === undefined));
});

t.test('the larger a message may be, the fewer may wait: the transport buffers it whole', async (t) => {
  const clock = new TestClock();
  for (const [maxPayloadBytes, room] of [
    [1 << 20, { network: 512, loopback: 1024 }],
    [25 << 20, { network: 20, loopback: 40 }],
  ] as const) {
    const preauth = new Preauth(clock, { handshakeMs: 1000, maxPayloadBytes });
    t.same({ network: preauth.room.network.sure, loopback: preauth.room.loopback.sure }, room);
    t.ok(room.network * maxPayloadBytes <= limits.preauth.network.bytes);
    t.ok(room.loopback * maxPayloadBytes <= limits.preauth.loopback.bytes);
    preauth.stop();
  }
});

t.test('a crowd of this host has as much room as there are sockets, and takes nothing from others', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  for (let i = 0; i < 20; i++) t.ok((await operatorOf(gateway)).hello);
  for (let i = 0; i < loopback.sockets; i++) if (gateway.open(LOCAL_PEER) === undefined) t.fail('no room too early');
  t.equal(gateway.open(LOCAL_PEER), undefined);
  t.ok(gateway.open(REMOTE_PEER));
});

t.test(
  'a crowd of this host that makes us buffer too much gives way, as far as it could, and only while it does',
  async (t) => {
    const clock = new TestClock();
    let nativeBytes = 1e9;
    const preauth = new Preauth(
      clock,
      { handshakeMs: 60_000, maxPayloadBytes: limits.wire.maxPayloadBytes },
      { nativeBytes: () => nativeBytes },
    );
    t.teardown(() => preauth.stop());
    const place = { source: '127.0.0.1', loopback: true } as Place;
    const gone: string[] = [];
    const come = (name: string, isSilent: boolean): void => {
      const waiter = {
        isSilent,
        expire() {},
        dismiss() {},
        giveWay() {},
        cut() {
          gone.push(name);
          preauth.delete(waiter);
        },
      };
      preauth.add(waiter, place);
    };
    const asked = (): boolean => {
      let proceeds = false;
      preauth.admit({ peer: LOCAL_PEER, proceed: () => (proceeds = true), refuse() {} }, place);
      return proceeds;
    };
    const { sure } = preauth.room.loopback;
    for (let i = 0; i < 4; i++) come('spoke', false);
    for (let i = 0; i < sure; i++) come('silent', true);
    nativeBytes += loopback.bytes;
    clock.pass(300);
    t.same(gone, [], 'as long as they do not buffer what they may, they stay');
    t.ok(asked());
    nativeBytes += 1;
    clock.pass(300);
    t.same(gone, Array(4).fill('silent'), 'then those beyond go, whoever said nothing first');
    t.notOk(asked());
    nativeBytes += loopback.bytes;
    for (let i = 0; i < 2; i++) clock.pass(300);
    t.notOk(asked(), 'what they held may be counted for a while');
    clock.pass(limits.preauth.lingerMs);
    t.ok(asked(), 'what was not theirs is not held against those who come later');
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
