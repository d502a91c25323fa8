import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { join } from 'node:path';
import { GatewayClient, type GatewayClientOptions } from '@openclaw/gateway-client';
import t, { type Test } from 'tap';
import { connect } from '../support/device.js';
import { checked } from '../support/frames.js';
import { logOf, running, TOKEN } from '../support/gateway.js';

/* The client that the makers of OpenClaw publish, unchanged: refused, approved, let in by itself, back with its token. */

const rawOf = (publicKeyPem: string): Buffer =>
  Buffer.from(createPublicKey(publicKeyPem).export({ format: 'jwk' }).x ?? '', 'base64url');

/** A machine: its key, and the tokens it was given. */
const machine = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const deviceIdentity = {
    deviceId: createHash('sha256').update(rawOf(publicKeyPem)).digest('hex'),
    publicKeyPem,
    privateKeyPem,
  };
  const stored = new Map<string, { token: string; scopes: string[] }>();
  const hostDeps: GatewayClientOptions['hostDeps'] = {
    signDevicePayload: (pem, payload) => sign(null, Buffer.from(payload), createPrivateKey(pem)).toString('base64url'),
    publicKeyRawBase64UrlFromPem: (pem) => rawOf(pem).toString('base64url'),
    loadDeviceAuthToken: ({ role }) => stored.get(role) ?? null,
    storeDeviceAuthToken: ({ role, token, scopes }) => void stored.set(role, { token, scopes }),
    clearDeviceAuthToken: ({ role }) => void stored.delete(role),
  };
  return { deviceIdentity, hostDeps, stored };
};

interface Happened {
  readonly what: 'hello' | 'refused' | 'paused' | 'closed';
  // biome-ignore lint/suspicious/noExplicitAny: whatever the client reports.
  readonly info: any;
}

/** The client, and what it reports, in order. */
const started = (t: Test, options: GatewayClientOptions) => {
  const reports: Happened[] = [];
  let wake = (): void => {};
  const report = (what: Happened['what'], info: unknown): void => {
    reports.push({ what, info });
    wake();
  };
  const client = new GatewayClient({
    clientName: 'openclaw-macos',
    mode: 'ui',
    platform: 'macos 15.2',
    role: 'operator',
    scopes: ['operator.read', 'operator.write'],
    onHelloOk: (hello) => report('hello', hello),
    onConnectError: (error) => report('refused', error),
    onReconnectPaused: (info) => report('paused', info),
    onClose: (code, reason) => report('closed', { code, reason }),
    onGap: (gap) => t.fail(`a gap: ${JSON.stringify(gap)}`),
    ...options,
  });
  client.start();
  t.teardown(() => client.stop());
  let read = 0;
  const next = async (what: Happened['what']) => {
    for (;;) {
      while (read < reports.length) {
        const found = reports[read++];
        if (found?.what === what) return found.info;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { client, next };
};

t.test('refused, approved, in by itself; then with its token alone; then revoked', async (t) => {
  const { port, state, clock } = await running(t, { flags: { autoApprove: false } });
  const { wire: boss } = await connect(`ws+unix://${join(state, 'gateway.sock')}:/`, undefined, {
    scopes: ['operator.admin', 'operator.pairing'],
  });
  const { deviceIdentity, hostDeps, stored } = machine();
  const url = `ws://127.0.0.1:${port}`;

  const first = started(t, { url, token: TOKEN, deviceIdentity, hostDeps });
  const refused = await first.next('refused');
  t.match(refused, {
    message: /pairing required/,
    details: { code: 'PAIRING_REQUIRED', reason: 'not-paired' },
  });
  const [{ requestId }] = (await boss.call('device.pair.list')).payload.pending;
  t.equal(refused.details.requestId, requestId);
  await boss.call('device.pair.approve', { requestId });

  const hello = await first.next('hello');
  t.match(hello, { protocol: 4, auth: { role: 'operator', scopes: ['operator.read', 'operator.write'] } });
  t.match(await first.client.request('health'), { ok: true });
  t.match(stored.get('operator'), { token: hello.auth.deviceToken, scopes: ['operator.read', 'operator.write'] });
  await t.rejects(first.client.request('device.pair.list'), { message: /missing scope: operator.pairing/ });
  clock.skip(31_000);
  clock.skip(31_000);
  await first.client.request('status');
  await first.client.stopAndWait();

  const second = started(t, { url, deviceIdentity, hostDeps });
  t.match(await second.next('hello'), { auth: { deviceToken: hello.auth.deviceToken } });

  await boss.call('device.token.revoke', { deviceId: deviceIdentity.deviceId, role: 'operator' });
  t.match(await second.next('closed'), { code: 4001, reason: 'device removed' });
  t.match(await second.next('refused'), { details: { code: 'AUTH_DEVICE_TOKEN_MISMATCH' } });
  await second.client.stopAndWait();
  t.equal(stored.has('operator'), false, 'it forgets a token that is no more');
  boss.end();

  const methods = logOf(state).flatMap(({ type, data }) =>
    type === 'connection.accepted' && 'method' in data ? [data.method] : [],
  );
  t.same(methods, ['host-proof', 'token', 'device-token']);
});

t.test('the quickstart of its documentation: a backend on this host needs no pairing', async (t) => {
  const { port } = await running(t);
  const { client, next } = started(t, {
    url: `ws://127.0.0.1:${port}`,
    token: TOKEN,
    clientName: 'gateway-client',
    mode: 'backend',
    deviceIdentity: null,
  });
  await next('hello');
  t.match(await client.request('status', {}), { sessions: { count: 0 } });
});

t.test('a wrong token is told as such, with what to do', async (t) => {
  const { port } = await running(t);
  const { deviceIdentity, hostDeps } = machine();
  const { next } = started(t, { url: `ws://127.0.0.1:${port}`, token: 'wrong', deviceIdentity, hostDeps });
  t.match(await next('refused'), {
    details: { code: 'AUTH_TOKEN_MISMATCH', recommendedNextStep: 'retry_with_device_token' },
  });
});

t.test('frames of protocol 4 have been checked against the published schema', async (t) => {
  const [major = 0] = process.versions.node.split('.').map(Number);
  t.ok(checked.v4 > 0 || major < 22, `${checked.v4} frames; the package promises to load from Node 22 on`);
});
