import { createHash, createPrivateKey, createPublicKey, hash, verify } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import type { ConnectParams } from '../../src/protocol/connect-params.js';
import { canonicalKey, faultOf } from '../../src/protocol/device-proof.js';
import { connectParams, newKey } from '../support/device.js';

/* The signature (protocol.md §4). */

const NOW = 1_800_000_000_000;
const NONCE = 'c0ffee00-0000-4000-8000-000000000000';
const key = newKey();
const challenge = { nonce: NONCE, ts: NOW };

const signed = (claims = {}): ConnectParams & { device: NonNullable<ConnectParams['device']> } =>
  connectParams(key, challenge, { scopes: ['operator.read'], auth: { token: 'secret' }, ...claims });

const fault = (params: ReturnType<typeof signed>, role = params.role ?? 'operator', now = NOW) =>
  faultOf(params.device, params, role, { nonce: NONCE, now });

const v2 = (params: ReturnType<typeof signed>, token = 'secret'): string =>
  key.sign(
    [
      'v2',
      key.id,
      params.client.id,
      params.client.mode,
      'operator',
      (params.scopes ?? []).join(','),
      params.device.signedAt,
      token,
      NONCE,
    ].join('|'),
  );

t.test('the v3 string verifies, and so does the v2 string of browsers', async (t) => {
  const params = signed({ client: { platform: '  macOS 15.1 ', deviceFamily: 'Mac' } });
  t.equal(fault(params), undefined);
  t.equal(fault({ ...params, device: { ...params.device, signature: v2(params) } }), undefined);
});

t.test('keys come as base64url, as base64, and as PEM', async (t) => {
  const params = signed();
  const raw = Buffer.from(key.publicKey, 'base64url');
  const pem = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key.publicKey }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
  for (const publicKey of [key.publicKey, raw.toString('base64'), pem]) {
    t.equal(fault({ ...params, device: { ...params.device, publicKey } }), undefined);
    t.equal(canonicalKey(publicKey), key.publicKey, 'and are one key');
  }
  const signature = Buffer.from(params.device.signature, 'base64url').toString('base64');
  t.equal(fault({ ...params, device: { ...params.device, signature } }), undefined);
});

t.test('the token that is signed is the first of token, device token; never the password', async (t) => {
  for (const auth of [
    { token: 'a', deviceToken: 'b' },
    { deviceToken: 'b' },
    { token: '', deviceToken: 'b' },
    { password: 'p' },
    {},
  ]) {
    const token = ('token' in auth && auth.token) || ('deviceToken' in auth && auth.deviceToken) || '';
    const params = signed({ auth });
    t.equal(
      fault({ ...params, device: { ...params.device, signature: v2(params, token) } }),
      undefined,
      JSON.stringify(auth),
    );
  }
});

t.test('two minutes of skew, to either side', async (t) => {
  for (const [skew, expected] of [
    [120_000, undefined],
    [-120_000, undefined],
    [120_001, 'device-signature-stale'],
    [-120_001, 'device-signature-stale'],
  ] as const)
    t.equal(fault(signed(), 'operator', NOW + skew), expected, `${skew}`);
});

t.test('the first fault in the order of the protocol answers', async (t) => {
  const bad = { ...signed().device, id: 'x', signedAt: 0, nonce: ' ', signature: 'A' };
  const params = signed();
  const next = (more: object) => fault({ ...params, device: { ...bad, ...more } });
  t.equal(next({}), 'device-id-mismatch');
  t.equal(next({ id: key.id }), 'device-signature-stale');
  t.equal(next({ id: key.id, signedAt: NOW }), 'device-nonce-missing');
  t.equal(next({ id: key.id, signedAt: NOW, nonce: 'other' }), 'device-nonce-mismatch');
  t.equal(next({ id: key.id, signedAt: NOW, nonce: NONCE }), 'device-signature');
});

t.test('property: whatever is changed of what was signed, it does not verify', async () => {
  const change = fc.constantFrom<(p: ReturnType<typeof signed>, s: string) => ReturnType<typeof signed>>(
    (p, s) => ({ ...p, client: { ...p.client, platform: s } }),
    (p, s) => ({ ...p, client: { ...p.client, deviceFamily: s } }),
    (p, s) => ({ ...p, scopes: [s] }),
    (p, s) => ({ ...p, auth: { token: s } }),
    (p, s) => ({ ...p, role: s }),
    (p) => ({ ...p, device: { ...p.device, signedAt: p.device.signedAt + 1 } }),
  );
  const params = signed({ client: { platform: 'linux', deviceFamily: 'box' } });
  fc.assert(
    fc.property(
      change,
      fc
        .string({ minLength: 1 })
        .filter((s) => !['linux', 'box', 'operator.read', 'secret', 'operator'].includes(s.trim().toLowerCase())),
      (changed, s) => fault(changed(params, s)) !== undefined,
    ),
  );
});

t.test('a key that anybody can sign for is no key', async (t) => {
  const eighth = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03';
  const points = ['00'.repeat(32), `00${'00'.repeat(30)}80`, `01${'00'.repeat(31)}`, `${eighth}7a`, `${eighth}fa`].map(
    (hex) => Buffer.from(hex, 'hex'),
  );
  for (const raw of points) {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
    const forged = points
      .map((point) => Buffer.concat([point, Buffer.alloc(32)]))
      .filter((signature) => Array.from({ length: 64 }).some((_, i) => verify(null, Buffer.from([i]), key, signature)));
    t.not(forged.length, 0, 'what is refused can be forged');
    const params = signed();
    const id = createHash('sha256').update(raw).digest('hex');
    for (const signature of forged) {
      const device = {
        ...params.device,
        id,
        publicKey: raw.toString('base64url'),
        signature: signature.toString('base64url'),
      };
      t.equal(fault({ ...params, device }), 'device-public-key');
    }
  }
});

/* What follows is made by one who holds the key, and by nobody else; it is refused all the same, so that one proof has one form. */

/** Order of the group (RFC 8032 §5.1). */
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const little = (bytes: Buffer): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
const bytesOf = (scalar: bigint): Buffer => Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').reverse();

const seed = Buffer.alloc(32, 7);
const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
const own = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
const ownRaw = Buffer.from(own.export({ format: 'jwk' }).x ?? '', 'base64url');
const secretScalar = (() => {
  const half = hash('sha512', seed, 'buffer').subarray(0, 32);
  half[0] = (half[0] ?? 0) & 0xf8;
  half[31] = ((half[31] ?? 0) & 0x7f) | 0x40;
  return little(half);
})();

/** A signature whose commitment R is the neutral element, however it is written: no randomness, and S follows from the secret alone. */
const withNeutral = (r: Buffer, text: string): Buffer => {
  const challenge = little(hash('sha512', Buffer.concat([r, ownRaw, Buffer.from(text)]), 'buffer')) % ORDER;
  return Buffer.concat([r, bytesOf((challenge * secretScalar) % ORDER)]);
};

const textSigned = (params: ReturnType<typeof signed>): string =>
  ['v3', params.device.id, 'cli', 'cli', 'operator', 'operator.read', NOW, 'secret', NONCE, 'linux', ''].join('|');

t.test('a signature has one form: neither a larger S nor an R that anybody knows', async (t) => {
  const params = signed();
  const valid = Buffer.from(params.device.signature, 'base64url');
  const s = little(valid.subarray(32));
  const larger = Array.from({ length: 15 }, (_, i) => s + BigInt(i + 1) * ORDER).filter((n) => n < 2n ** 256n);
  for (const n of larger) {
    const signature = Buffer.concat([valid.subarray(0, 32), bytesOf(n)]).toString('base64url');
    t.equal(fault({ ...params, device: { ...params.device, signature } }), 'device-signature', 'S above the order');
  }
  const id = createHash('sha256').update(ownRaw).digest('hex');
  const device = { ...params.device, id, publicKey: ownRaw.toString('base64url') };
  const text = textSigned({ ...params, device });
  const neutral = Buffer.from(`01${'00'.repeat(31)}`, 'hex');
  t.ok(verify(null, Buffer.from(text), own, withNeutral(neutral, text)), 'the text and the arithmetic are right');
  for (const hex of [
    `01${'00'.repeat(31)}`,
    `01${'00'.repeat(30)}80`,
    `ee${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(31)}`,
  ]) {
    const signature = withNeutral(Buffer.from(hex, 'hex'), text).toString('base64url');
    t.equal(fault({ ...params, device: { ...device, signature } }), 'device-signature', hex);
  }
});

t.test('a key that is no point, or not written in its one form, signs nothing', async (t) => {
  const params = signed();
  for (const hex of [`02${'00'.repeat(31)}`, 'ff'.repeat(32), `f0${'ff'.repeat(30)}7f`, `f3${'ff'.repeat(31)}`]) {
    const raw = Buffer.from(hex, 'hex');
    const device = {
      ...params.device,
      id: createHash('sha256').update(raw).digest('hex'),
      publicKey: raw.toString('base64url'),
    };
    t.equal(fault({ ...params, device }), 'device-signature', hex);
  }
});

t.test('property: what OpenSSL refuses is refused', async () => {
  const params = signed();
  const valid = Buffer.from(params.device.signature, 'base64url');
  const text = Buffer.from(textSigned(params));
  const raw = Buffer.from(key.publicKey, 'base64url');
  const ours = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
  fc.assert(
    fc.property(fc.nat(63), fc.nat(255), (at, byte) => {
      const bytes = Buffer.from(valid);
      bytes[at] = byte;
      const device = { ...params.device, signature: bytes.toString('base64url') };
      return (fault({ ...params, device }) === undefined) === verify(null, text, ours, bytes);
    }),
  );
});
