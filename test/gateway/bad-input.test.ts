import fc from 'fast-check';
import t from 'tap';
import { limits } from '../../src/limits.js';
import { connect, connectParams, newKey, REMOTE, Wire } from '../support/device.js';
import { running, TOKEN } from '../support/gateway.js';
import { LOCAL_PEER, operatorOf, simulated } from '../support/simulated.js';

/* Bad input gets its documented refusal (protocol.md §1.5); nothing is lost and nothing crashes. */

t.test('before hello, on real sockets', async (t) => {
  const { port } = await running(t);
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`.slice(0, 60_000);
  const cases: readonly [what: string, send: unknown, code: number, reason: string, answer?: string][] = [
    ['not JSON', 'hello', 1000, ''],
    ['half of JSON', '{"type":"req"', 1000, ''],
    ['an empty message', '', 1000, ''],
    ['deep nesting that ends nowhere', deep, 1000, ''],
    ['deep nesting', `${'['.repeat(20_000)}${']'.repeat(20_000)}`, 1008, 'invalid request frame'],
    ['JSON that is no frame', '[]', 1008, 'invalid request frame'],
    ['null', 'null', 1008, 'invalid request frame'],
    ['a frame of another type', { type: 'event', event: 'x' }, 1008, 'invalid request frame'],
    ['an id that is no string', { type: 'req', id: 7, method: 'connect' }, 1008, 'invalid request frame'],
    ['an empty id', { type: 'req', id: '', method: 'connect' }, 1008, 'invalid request frame'],
    ['a huge id', { type: 'req', id: 'i'.repeat(10_000), method: 'connect' }, 1008, 'invalid request frame'],
    ['unknown fields', { type: 'req', id: 'c', method: 'connect', admin: true }, 1008, 'invalid request frame'],
    [
      '__proto__',
      '{"type":"req","id":"c","method":"connect","__proto__":{"params":{}}}',
      1008,
      'invalid request frame',
    ],
    ['a binary frame', Buffer.from('{"type":"req","id":"c","method":"connect"}'), 1008, 'invalid request frame'],
    [
      'another request first',
      { type: 'req', id: 'c', method: 'health' },
      1008,
      'invalid handshake: first request must be connect',
      'invalid handshake: first request must be connect',
    ],
    [
      'no params',
      { type: 'req', id: 'c', method: 'connect' },
      1008,
      "invalid connect params: must have required property 'minProtocol'; must have required property 'maxProtocol'; must have ",
      "invalid connect params: must have required property 'minProtocol'; must have required property 'maxProtocol'; must have required property 'client'",
    ],
    [
      'params that are a list',
      { type: 'req', id: 'c', method: 'connect', params: [] },
      1008,
      'invalid connect params: must be object',
      'invalid connect params: must be object',
    ],
    [
      'more than a stranger may send',
      JSON.stringify({ type: 'req', id: 'c', method: 'connect', params: 'x'.repeat(limits.wire.preauthFrameBytes) }),
      1009,
      'preauth payload too large',
    ],
  ];
  for (const [what, send, code, reason, answer] of cases) {
    const wire = Wire.open(port);
    await wire.challenge();
    wire.send(send);
    if (answer !== undefined)
      t.match(
        await wire.next(),
        { id: 'c', ok: false, error: { code: 'INVALID_REQUEST', message: answer } },
        `${what}: its answer`,
      );
    t.same(await wire.close(), { code, reason }, what);
    if (answer === undefined) t.equal(wire.frames.length, 1, `${what}: nothing but the challenge was sent`);
  }
  const huge = Wire.open(port);
  await huge.challenge();
  huge.send('x'.repeat(25 * 1024 * 1024));
  t.equal((await huge.close()).code, 1006, 'of 25 MB the transport takes none');
  t.match((await connect(port, newKey(), { auth: { token: TOKEN } })).answer, { ok: true }, 'and the gateway is well');
});

t.test('a connect whose claims do not hold', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const key = newKey();
  const other = newKey();
  type Params = ReturnType<typeof connectParams>;
  const cases: readonly [what: string, change: (params: Params) => void, message: string, code?: string][] = [
    [
      'an unknown role',
      (p) => {
        p.role = 'worker';
      },
      'invalid role',
    ],
    [
      'an unknown client',
      (p) => {
        p.client.id = 'x';
      },
      'invalid connect params: at /client/id: must be equal to constant; at /client/id: must match a schema in anyOf',
    ],
    [
      'a protocol from the future',
      (p) => {
        p.minProtocol = 5;
        p.maxProtocol = 9;
      },
      'protocol mismatch',
      'PROTOCOL_MISMATCH',
    ],
    [
      'a protocol range the wrong way round',
      (p) => {
        p.minProtocol = 4;
        p.maxProtocol = 3;
      },
      'protocol mismatch',
      'PROTOCOL_MISMATCH',
    ],
    [
      'a clock that is wrong',
      (p) => {
        p.device.signedAt -= 121_000;
      },
      'device signature expired',
      'DEVICE_AUTH_SIGNATURE_EXPIRED',
    ],
    [
      'a clock that is ahead',
      (p) => {
        p.device.signedAt += 121_000;
      },
      'device signature expired',
      'DEVICE_AUTH_SIGNATURE_EXPIRED',
    ],
    [
      'a blank nonce',
      (p) => {
        p.device.nonce = '  ';
      },
      'device nonce required',
      'DEVICE_AUTH_NONCE_REQUIRED',
    ],
    [
      'the nonce of another connection',
      (p) => {
        p.device.nonce = gateway.open()?.frames[0].payload.nonce;
      },
      'device nonce mismatch',
      'DEVICE_AUTH_NONCE_MISMATCH',
    ],
    [
      'a short key',
      (p) => {
        p.device.publicKey = Buffer.alloc(16).toString('base64url');
      },
      'device identity mismatch',
      'DEVICE_AUTH_DEVICE_ID_MISMATCH',
    ],
    [
      'a long key',
      (p) => {
        p.device.publicKey = Buffer.alloc(64).toString('base64url');
      },
      'device identity mismatch',
      'DEVICE_AUTH_DEVICE_ID_MISMATCH',
    ],
    [
      'a key that is no base64',
      (p) => {
        p.device.publicKey = '!'.repeat(43);
      },
      'device identity mismatch',
      'DEVICE_AUTH_DEVICE_ID_MISMATCH',
    ],
    [
      'the key of another',
      (p) => {
        p.device.publicKey = other.publicKey;
      },
      'device identity mismatch',
      'DEVICE_AUTH_DEVICE_ID_MISMATCH',
    ],
    [
      'a short signature',
      (p) => {
        p.device.signature = Buffer.alloc(63).toString('base64url');
      },
      'device signature invalid',
      'DEVICE_AUTH_SIGNATURE_INVALID',
    ],
    [
      'the signature of another',
      (p) => {
        p.device.signature = other.sign('x');
      },
      'device signature invalid',
      'DEVICE_AUTH_SIGNATURE_INVALID',
    ],
    [
      'scopes other than signed',
      (p) => {
        p.scopes = ['operator.admin'];
      },
      'device signature invalid',
      'DEVICE_AUTH_SIGNATURE_INVALID',
    ],
    [
      'a role other than signed',
      (p) => {
        p.role = 'node';
      },
      'device signature invalid',
      'DEVICE_AUTH_SIGNATURE_INVALID',
    ],
    [
      'no device, as a node',
      (p) => {
        p.role = 'node';
        delete p.device;
      },
      'device identity required',
      'DEVICE_IDENTITY_REQUIRED',
    ],
    [
      'no device, no secret',
      (p) => {
        delete p.device;
        delete p.auth;
      },
      'device identity required',
      'DEVICE_IDENTITY_REQUIRED',
    ],
    [
      'too many scopes',
      (p) => {
        p.scopes = Array.from({ length: 65 }, (_, i) => `s${i}`);
      },
      'invalid connect params: at /scopes: must NOT have more than 64 items',
    ],
    [
      'a negative time',
      (p) => {
        p.device.signedAt = -1;
      },
      'invalid connect params: at /device/signedAt: must be >= 0',
    ],
    [
      'a time with a fraction',
      (p) => {
        p.device.signedAt += 0.5;
      },
      'invalid connect params: at /device/signedAt: must be integer',
    ],
  ];
  for (const [what, change, message, code] of cases) {
    const wire = gateway.open(LOCAL_PEER);
    const params = connectParams(key, wire?.frames[0].payload, { auth: { token: TOKEN } });
    change(params);
    wire?.say({ type: 'req', id: 'c', method: 'connect', params });
    await gateway.settle();
    t.match(wire?.answer, { ok: false, error: { message, ...(code ? { details: { code } } : {}) } }, what);
    t.ok(wire?.closed, `${what}: and it is closed`);
  }
});

t.test('a challenge is answered once', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const key = newKey();
  const wire = gateway.open(LOCAL_PEER);
  const params = connectParams(key, wire?.frames[0].payload, { auth: { token: TOKEN } });
  wire?.say({ type: 'req', id: 'c', method: 'connect', params });
  wire?.say({ type: 'req', id: 'd', method: 'connect', params });
  await gateway.settle();
  t.match(
    wire?.frames.find(({ id }) => id === 'd'),
    { ok: false, error: { message: 'invalid handshake: first request must be connect' } },
  );
  t.ok(wire?.closed);
  const replay = gateway.open(LOCAL_PEER);
  replay?.say({ type: 'req', id: 'c', method: 'connect', params });
  await gateway.settle();
  t.match(replay?.answer.error, { details: { code: 'DEVICE_AUTH_NONCE_MISMATCH' } });
});

t.test('after hello', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const wire = await operatorOf(gateway);
  const answers = (from: number) => wire.frames.slice(from).filter(({ type }) => type === 'res');
  const said = async (frame: unknown, binary = false) => {
    const from = wire.frames.length;
    wire.say(frame, binary);
    await gateway.settle();
    return answers(from);
  };
  t.same(await said('not JSON'), [], 'ignored');
  t.match(await said('[1,2]'), [{ id: 'invalid', error: { message: 'invalid request frame: must be object' } }]);
  t.match(await said({ type: 'req', id: 'x', method: '' }), [
    { id: 'x', error: { message: 'invalid request frame: at /method: must NOT have fewer than 1 characters' } },
  ]);
  t.match(await said({ type: 'req', id: 'x', method: 'health' }, true), [
    { id: 'invalid', error: { code: 'INVALID_REQUEST' } },
  ]);
  t.match(await said({ type: 'req', id: 'x', method: 'connect', params: {} }), [
    { error: { message: 'connect is only valid as the first request' } },
  ]);
  t.match(await said({ type: 'req', id: 'x', method: 'no.such' }), [{ error: { message: 'unknown method: no.such' } }]);
  t.match(await said({ type: 'req', id: 'x', method: 'device.pair.approve', params: { requestId: 7, extra: 1 } }), [
    {
      error: {
        message:
          "invalid device.pair.approve params: at root: unexpected property 'extra'; at /requestId: must be string",
      },
    },
  ]);
  t.match(await said({ type: 'req', id: 'x', method: 'device.pair.approve', params: { requestId: '\ud800' } }), [
    { error: { message: 'unknown requestId' } },
  ]);
  t.match(
    await said({ type: 'req', id: '\udfff', method: 'health' }),
    [{ ok: true }],
    'a lone surrogate comes back as JSON can say it',
  );
  t.match(
    await said({ type: 'req', id: 'x', method: 'device.pair.remove', params: { deviceId: '../../etc/passwd' } }),
    [{ error: { message: 'unknown deviceId' } }],
  );
  t.equal(wire.closed, undefined);
});

t.test('whoever goes on calling what is not of its role is let go', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const key = newKey();
  const node = { role: 'node', scopes: [], client: { id: 'node-host', mode: 'node' }, auth: { token: TOKEN } };
  const asked = await gateway.connect(key, node, LOCAL_PEER);
  if (!asked.hello) await operator.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  const wire = asked.hello ? asked : await gateway.connect(key, node, LOCAL_PEER);
  t.match((await wire.call('connect')).error, { message: 'connect is only valid as the first request' });
  for (let i = 0; i < 10; i++) t.match(await wire.call('status'), { error: { message: 'unauthorized role: node' } });
  t.equal(wire.closed, undefined);
  await wire.call('status');
  t.same(wire.closed, { code: 1008, reason: 'repeated unauthorized calls' });
});

t.test('any text at all: strangers are closed, sessions go on, nothing throws', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const json = fc.json({ maxDepth: 4 });
  const frame = fc.record({
    type: fc.constantFrom('req', 'res', 'x'),
    id: fc.string(),
    method: fc.constantFrom('connect', 'health', '__proto__'),
    params: fc.jsonValue(),
  });
  const open = await operatorOf(gateway);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        json,
        frame.map((f) => JSON.stringify(f)),
      ),
      async (text) => {
        const stranger = gateway.open(LOCAL_PEER);
        stranger?.say(text);
        open.say(text);
        await gateway.settle();
        if (stranger?.closed === undefined) throw new Error('still open');
        if (open.closed !== undefined) throw new Error('the session was closed');
        stranger.end(1000, '');
      },
    ),
    { numRuns: 300 },
  );
});

t.test('headers of strangers do not forge lines of the log', async (t) => {
  const { port, lines } = await running(t);
  const wire = Wire.open(port, { ...REMOTE, 'User-Agent': `x${'y'.repeat(2000)}`, Origin: 'http://a.test' });
  await wire.challenge();
  wire.end(4008);
  await wire.close();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const [line] = lines.filter((said) => said.includes('closed before connect'));
  t.match(
    line,
    /^\[ws\] closed before connect conn=\S+ remote=127\.0\.0\.1 fwd=n\/a origin=http:\/\/a\.test host=gateway\.example\.test ua=xy+ code=4008 reason=n\/a$/,
  );
  t.ok((line?.length ?? 0) < 600);
});
