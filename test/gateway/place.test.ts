import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import type { Event } from '../../events/index.js';
import { type PlaceRules, placeOf, speaksForOthers } from '../../src/gateway/place.js';
import { logOf, running } from '../support/gateway.js';
import { LOCAL_PEER, REMOTE_PEER } from '../support/simulated.js';

/* Where a connection comes from (protocol.md §5.4). Locality lets programs in without a person. */

const NONE: PlaceRules = { trustedProxies: [], realIpHeader: false };
const PROXY: PlaceRules = { trustedProxies: ['127.0.0.1', '10.0.0.0/8', '2001:db8:ffff::/48'], realIpHeader: false };

t.test('local is a loopback peer, with no sign of a proxy, that calls this host by a local name', async (t) => {
  for (const host of [
    'localhost',
    'localhost:18789',
    '127.0.0.1:18789',
    '127.9.9.9',
    '[::1]:18789',
    'box.tail1234.ts.net',
  ])
    t.equal(placeOf({ ...LOCAL_PEER, host }, NONE).local, true, host);
  for (const host of [
    '',
    'gateway.example.test',
    'localhost.example.test',
    'evil.test:18789',
    '127.0.0.1.evil.test',
    '10.0.0.1',
  ])
    t.equal(placeOf({ ...LOCAL_PEER, host }, NONE).local, false, host || 'no host');
  t.equal(placeOf({ ...LOCAL_PEER, address: '::1' }, NONE).local, true);
  t.equal(placeOf({ ...LOCAL_PEER, address: '192.168.1.5' }, NONE).local, false);
  t.equal(placeOf({ ...LOCAL_PEER, forwarded: true }, NONE).local, false);
  t.equal(placeOf({ ...LOCAL_PEER, forwarded: true, forwardedFor: '127.0.0.1' }, PROXY).local, false);
});

t.test('behind a trusted proxy, the right-most address that is not a proxy', async (t) => {
  const behind = (forwardedFor: string, address = '127.0.0.1') =>
    placeOf({ ...LOCAL_PEER, address, forwarded: true, forwardedFor }, PROXY).address;
  t.equal(behind('203.0.113.9'), '203.0.113.9');
  t.equal(behind('198.51.100.1, 203.0.113.9, 10.1.2.3'), '203.0.113.9', 'what is left of it is hearsay');
  t.equal(behind('203.0.113.9:4711'), '203.0.113.9');
  t.equal(behind('[2001:db8::7]:4711'), '2001:db8::7');
  t.equal(behind('::ffff:203.0.113.9'), '203.0.113.9');
  t.equal(behind('127.0.0.1'), '127.0.0.1');
  t.equal(behind('not an address'), '127.0.0.1', 'the proxy itself');
  t.equal(behind('203.0.113.9', '2001:db8:ffff::1'), '203.0.113.9');
});

t.test('strangers behind a proxy on this host share nothing with its programs', async (t) => {
  const source = (peer: object, rules = NONE) => placeOf({ ...LOCAL_PEER, ...peer }, rules).source;
  t.equal(source({}), '127.0.0.1');
  t.equal(source({ forwarded: true, forwardedFor: '203.0.113.9' }), 'via 127.0.0.1');
  t.equal(source({ host: 'gateway.example.test' }), 'via 127.0.0.1');
  t.equal(source({ forwarded: true, forwardedFor: '203.0.113.9' }, PROXY), '203.0.113.9');
  t.equal(placeOf({ ...LOCAL_PEER, forwarded: true }, PROXY).loopback, false, 'nor its allowance');
});

t.test('a proxy that adds a line of its own below that of the client', async (t) => {
  const { port, state } = await running(t, { config: { trustedProxies: ['127.0.0.1'] } });
  const socket = connect({ port, host: '127.0.0.1' });
  const lines = ['GET / HTTP/1.1', 'Host: gateway.example.test', 'Upgrade: websocket', 'Connection: Upgrade'];
  const key = ['Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
  const hops = ['X-Forwarded-For: 10.1.1.1', 'X-Forwarded-For: 203.0.113.9'];
  socket.write(`${[...lines, ...key, ...hops].join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  socket.destroy();
  await once(socket, 'close');
  let refused: Event | undefined;
  while (refused === undefined) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    refused = logOf(state).find(({ type }) => type === 'connection.refused');
  }
  t.equal(refused.origin?.address, '203.0.113.9');
});

t.test('whoever is not trusted speaks for nobody', async (t) => {
  const peer = { ...REMOTE_PEER, forwarded: true, forwardedFor: '127.0.0.1' };
  t.equal(placeOf(peer, PROXY).address, REMOTE_PEER.address);
  t.equal(speaksForOthers(peer, PROXY), true);
  t.equal(speaksForOthers({ ...peer, address: '10.3.2.1' }, PROXY), false);
  t.equal(speaksForOthers(REMOTE_PEER, PROXY), false);
});

t.test('X-Real-IP is only believed if the configuration says so', async (t) => {
  const peer = { ...LOCAL_PEER, forwarded: true, realIp: '203.0.113.9' };
  t.equal(placeOf(peer, PROXY).address, '127.0.0.1');
  t.equal(placeOf(peer, { ...PROXY, realIpHeader: true }).address, '203.0.113.9');
});

t.test('budgets are kept by address, of IPv6 by the first 64 bits', async (t) => {
  t.equal(placeOf(REMOTE_PEER, NONE).source, '203.0.113.7');
  t.equal(
    placeOf({ ...REMOTE_PEER, address: '2001:db8::1' }, NONE).source,
    placeOf({ ...REMOTE_PEER, address: '2001:db8::ffff:1' }, NONE).source,
  );
  t.not(
    placeOf({ ...REMOTE_PEER, address: '2001:db8:0:1::1' }, NONE).source,
    placeOf({ ...REMOTE_PEER, address: '2001:db8:0:2::1' }, NONE).source,
  );
});

t.test('the socket file is the host, whatever the headers say', async (t) => {
  t.match(placeOf({ ...REMOTE_PEER, hostSocket: true, forwarded: true }, NONE), {
    local: true,
    hostSocket: true,
    source: 'host',
  });
});
