import t from 'tap';
import { originFault } from '../../src/gateway/origins.js';
import { newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { LOCAL_PEER, REMOTE_PEER, simulated } from '../support/simulated.js';

/* Which pages may talk to the gateway (protocol.md §5.5); and a page is never let in without a person (design.md §6.8). */

const CLOSED = { allowedOrigins: [], originMayBeHost: false };
const FAULT = 'origin not allowed';

t.test('origins', async (t) => {
  const cases: readonly [origin: string, host: string, local: boolean, rules: object, fault: string | undefined][] = [
    ['', 'localhost', true, {}, 'origin missing or invalid'],
    ['null', 'localhost', true, {}, 'origin missing or invalid'],
    ['not a url', 'localhost', true, {}, 'origin missing or invalid'],
    ['http://localhost:5173', '127.0.0.1:18789', true, {}, undefined],
    ['http://127.0.0.1:3000', 'localhost:18789', true, {}, undefined],
    ['http://[::1]:3000', 'localhost:18789', true, {}, undefined],
    ['http://localhost:5173', 'gateway.example.test', false, {}, FAULT],
    ['https://evil.test', 'localhost:18789', true, {}, FAULT],
    ['https://evil.test', 'evil.test', false, {}, FAULT],
    ['https://evil.test', 'evil.test', false, { originMayBeHost: true }, undefined],
    ['http://nas.local:18789', 'nas.local:18789', false, {}, undefined],
    ['http://nas.local:18789', 'other.local:18789', false, {}, FAULT],
    ['http://192.168.1.5:18789', '192.168.1.5:18789', false, {}, undefined],
    ['http://203.0.113.5:18789', '203.0.113.5:18789', false, {}, FAULT],
    ['https://Panel.Example.Test', 'gateway', false, { allowedOrigins: ['https://panel.example.test'] }, undefined],
    [
      'https://panel.example.test.evil.test',
      'gateway',
      false,
      { allowedOrigins: ['https://panel.example.test'] },
      FAULT,
    ],
    ['https://any.test', 'gateway', false, { allowedOrigins: ['*'] }, undefined],
  ];
  for (const [origin, host, local, rules, fault] of cases)
    t.equal(originFault(origin, host, local, { ...CLOSED, ...rules }), fault, `${origin} to ${host}`);
});

t.test('a browser with the secret, on this host, waits for a person all the same', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const page = { ...LOCAL_PEER, origin: 'http://localhost:18789' };
  const client = { id: 'openclaw-control-ui', mode: 'webchat', platform: 'MacIntel' };
  const asked = await gateway.connect(newKey(), { client, auth: { token: TOKEN } }, page);
  t.match(asked.answer.error, { code: 'NOT_PAIRED', details: { code: 'PAIRING_REQUIRED', reason: 'not-paired' } });
  t.equal(asked.closed, undefined, 'it closes by itself, with a code that says what it made of the answer');
  await gateway.pass(1000);
  t.equal(asked.closed?.code, 1008);
});

t.test('a page of another site is refused before its credentials are looked at', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  for (const peer of [
    { ...LOCAL_PEER, origin: 'https://evil.test' },
    { ...REMOTE_PEER, origin: 'https://evil.test' },
  ]) {
    const wire = await gateway.connect(newKey(), { auth: { token: TOKEN } }, peer);
    t.match(wire.answer.error, {
      code: 'INVALID_REQUEST',
      message:
        'origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)',
      details: { code: 'CONTROL_UI_ORIGIN_NOT_ALLOWED', reason: 'origin not allowed' },
    });
  }
});

t.test(
  'a client that says it is the Control UI is treated as a browser, with an Origin header or without',
  async (t) => {
    const gateway = await simulated();
    t.teardown(() => gateway.stop());
    const client = { id: 'openclaw-control-ui', mode: 'webchat' };
    const wire = await gateway.connect(newKey(), { client, auth: { token: TOKEN } }, LOCAL_PEER);
    t.match(wire.answer.error, { details: { reason: 'origin missing or invalid' } });
  },
);
