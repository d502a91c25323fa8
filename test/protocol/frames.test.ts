import fc from 'fast-check';
import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import { decode, rulesOf } from '../../src/codec.js';
import { ConnectParams } from '../../src/protocol/connect-params.js';
import { negotiated } from '../../src/protocol/dialect.js';
import { closeReason, decodeRequest, event, failure, parseFrame, response } from '../../src/protocol/frames.js';

t.test('a close reason fits a control frame, cut at a character', async (t) => {
  t.equal(closeReason('pairing required'), 'pairing required');
  t.equal(closeReason('é'.repeat(70)), 'é'.repeat(60));
  t.equal(closeReason(`x${'é'.repeat(70)}`), `x${'é'.repeat(59)}`);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
      const cut = closeReason(text);
      return Buffer.byteLength(cut) <= 120 && text.startsWith(cut) && (cut === text || Buffer.byteLength(cut) > 100);
    }),
  );
});

t.test('which protocol is spoken: the newest that both know', async (t) => {
  const cases: readonly [min: number, max: number, dialect: number | undefined][] = [
    [3, 3, 3],
    [4, 4, 4],
    [3, 4, 4],
    [1, 9, 4],
    [1, 3, 3],
    [1, 2, undefined],
    [5, 9, undefined],
    [4, 3, undefined],
  ];
  for (const [min, max, dialect] of cases) t.equal(negotiated(min, max), dialect, `${min}..${max}`);
});

t.test('requests: a closed shape; what is wrong is answered by its id, if it has one', async (t) => {
  t.ok(E.isRight(decodeRequest({ type: 'req', id: 'a', method: 'health' })));
  t.ok(E.isRight(decodeRequest({ type: 'req', id: 'a', method: 'health', params: null, traceparent: '00-x' })));
  const left = (frame: unknown) => {
    const request = decodeRequest(frame);
    return E.isLeft(request) ? request.left : undefined;
  };
  t.same(left({ id: 'a' }), {
    id: 'a',
    rules: "must have required property 'type'; must have required property 'method'",
  });
  t.match(left({ type: 'req', id: 7, method: 'x' }), { id: 'invalid', rules: 'at /id: must be string' });
  for (const frame of [null, 7, 'x', [], true]) t.match(left(frame), { id: 'invalid', rules: 'must be object' });
});

t.test('frames are JSON whatever they carry', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (id, payload) => {
      JSON.parse(response(id, payload));
      JSON.parse(failure(id, { code: 'X', message: id }));
      JSON.parse(event('tick', payload, 1, { presence: 1, health: 2 }));
    }),
  );
});

t.test('parsing never throws, and never takes what is not JSON', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      (text) => parseFrame(text) === undefined || JSON.stringify(parseFrame(text)) !== undefined,
    ),
  );
});

t.test('connect params: both dialects in one closed shape, with the words of the protocol', async (t) => {
  const client = { id: 'cli', version: '1', platform: 'linux', mode: 'cli' };
  const rules = (params: object): string => {
    const result = decode(ConnectParams, { minProtocol: 3, maxProtocol: 4, client, ...params });
    return E.isLeft(result) ? rulesOf(result.left) : '';
  };
  t.equal(rules({}), '');
  t.equal(rules({ computerUse: {}, workerRuns: { a: 1 }, auth: { token: '', bootstrapToken: 'x' }, locale: '' }), '');
  t.equal(rules({ extra: 1 }), "at root: unexpected property 'extra'");
  t.equal(rules({ client: { ...client, x: 1 } }), "at /client: unexpected property 'x'");
  t.equal(rules({ client: { ...client, platform: '' } }), 'at /client/platform: must NOT have fewer than 1 characters');
  t.equal(
    rules({ client: { ...client, id: 'nobody' } }),
    'at /client/id: must be equal to constant; at /client/id: must match a schema in anyOf',
  );
  t.equal(rules({ minProtocol: 0 }), 'at /minProtocol: must be >= 1');
  t.equal(rules({ scopes: 'x' }), 'at /scopes: must be array');
  t.equal(rules({ scopes: [7] }), 'at /scopes/0: must be string');
  for (const drawing of ['\u001b[2K\u001b[1G', 'a,b', 'operator.read ', 'é', '\u009b1G', ''])
    t.match(rules({ scopes: ['operator.admin', drawing] }), /^at \/scopes\/1: must /, JSON.stringify(drawing));
  t.equal(rules({ permissions: { 'a/b~c': 1 } }), 'at /permissions/a~1b~0c: must be boolean');
  t.equal(
    rules({ device: { id: 'x' } }),
    ['publicKey', 'signature', 'signedAt', 'nonce']
      .map((f) => `at /device: must have required property '${f}'`)
      .join('; '),
  );
});

t.test('property: a refusal of params never repeats a value', async () => {
  const secret = 'S3CRET-VALUE';
  const broken = fc.constantFrom(
    { auth: secret },
    { auth: { token: { x: secret } } },
    { device: { id: secret, signedAt: secret } },
    { client: secret },
    { role: [secret] },
    { scopes: { a: secret } },
    { minProtocol: secret },
  );
  fc.assert(
    fc.property(broken, (params) => {
      const result = decode(ConnectParams, params);
      return E.isLeft(result) && !rulesOf(result.left).includes(secret);
    }),
  );
});
