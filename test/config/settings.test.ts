import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pathsFrom } from '../../src/config/paths.js';
import { type Flags, loadSettings, type Settings } from '../../src/config/settings.js';
import { limits } from '../../src/limits.js';
import { keyType, vkeyOf, vkeyText } from '../../src/proof/note.js';
import { LOG_VKEY, witnessVkey } from '../support/log.js';
import { keyOf } from '../support/tree.js';

/* Flags over environment over file over defaults. */

const load = (t: Test, config: string | object | undefined, flags: Flags = {}, env = {}): Settings => {
  const state = mkdtempSync(join(tmpdir(), 'clawledger-config-'));
  t.teardown(() => rmSync(state, { recursive: true, force: true }));
  if (config !== undefined)
    writeFileSync(
      join(state, 'openclaw.json'),
      typeof config === 'string' ? config : JSON.stringify({ gateway: config }),
    );
  return loadSettings(flags, { OPENCLAW_STATE_DIR: state, ...env });
};

t.test('nothing configured: loopback, token, the port of the guide, and the safe rules', async (t) => {
  t.match(load(t, undefined), {
    port: 18_789,
    hosts: ['127.0.0.1', '::1'],
    auth: { mode: 'token', secret: undefined },
    trustedProxies: [],
    allowedOrigins: [],
    untrustedForwarding: 'remote',
    limiter: { failures: 10, windowMs: 60_000, lockMs: 300_000 },
    rules: { localClient: true, localBackend: true, scopesWithoutDevice: false },
    maxPayloadBytes: limits.wire.maxPayloadBytes,
    handshakeMs: 15_000,
    archiveAfterMs: 90 * 24 * 3_600_000,
    log: { level: 'info' },
  });
});

t.test('a flag wins over the environment, the environment over the file', async (t) => {
  const file = { port: 1000, auth: { token: 'of-file' } };
  const env = { OPENCLAW_GATEWAY_PORT: '2000', OPENCLAW_GATEWAY_TOKEN: 'of-env' };
  t.match(load(t, file), {
    port: 1000,
    auth: { secret: { value: 'of-file', from: /^gateway\.auth\.token in .*openclaw\.json$/ } },
  });
  t.match(load(t, file, {}, env), {
    port: 2000,
    auth: { secret: { value: 'of-env', from: 'OPENCLAW_GATEWAY_TOKEN' } },
  });
  t.match(load(t, file, { port: 3000, token: 'of-flag' }, env), {
    port: 3000,
    auth: { secret: { value: 'of-flag', from: '--token' } },
  });
  t.match(
    load(t, file, {}, { OPENCLAW_GATEWAY_TOKEN: '  ' }),
    { auth: { secret: { value: 'of-file' } } },
    'blank is not set',
  );
});

t.test('the mode of auth', async (t) => {
  t.match(load(t, { auth: { password: 'p' } }), { auth: { mode: 'password', secret: { value: 'p' } } });
  t.match(load(t, { auth: { mode: 'token', token: 't', password: 'p' } }), {
    auth: { mode: 'token', secret: { value: 't' } },
  });
  t.match(load(t, {}, {}, { OPENCLAW_GATEWAY_PASSWORD: 'p' }), { auth: { mode: 'password' } });
  t.match(load(t, { auth: { mode: 'none' } }), { auth: { mode: 'none' } });
});

t.test('where to listen', async (t) => {
  t.match(load(t, { bind: 'lan' }), { hosts: ['0.0.0.0'] });
  t.match(load(t, { bind: 'custom', customBindHost: '10.0.0.5' }), { hosts: ['10.0.0.5'] });
  t.match(load(t, { bind: 'custom', customBindHost: '::1' }), { hosts: ['::1'] });
  t.match(load(t, {}, { bind: 'lan' }), { hosts: ['0.0.0.0'] });
});

t.test('what cannot be is refused by name, never by value', async (t) => {
  const cases: readonly [config: string | object, flags: Flags, words: RegExp][] = [
    [{ port: 70_000 }, {}, /gateway\.port: must be <= 65535/],
    [{ portt: 1 }, {}, /gateway: unexpected property 'portt'/],
    [{ auth: { tokn: 's3cret' } }, {}, /gateway\.auth: unexpected property 'tokn'/],
    [{ auth: { token: 5 } }, {}, /gateway\.auth\.token: must be string/],
    [{ trustedProxies: '10.0.0.1' }, {}, /gateway\.trustedProxies: must be array/],
    [
      { trustedProxies: ['10.0.0.1/33'] },
      {},
      /gateway\.trustedProxies\.0: must be an IP address or a network such as 10\.0\.0\.0\/8/,
    ],
    [{ bind: 'custom' }, {}, /customBindHost: must be an IP address/],
    [{ bind: 'custom', customBindHost: 'example.test' }, {}, /customBindHost: must be an IP address/],
    [{ bind: 'tailnet' }, {}, /use custom/],
    [{ bind: 'lan', auth: { mode: 'none' } }, {}, /refusing to listen beyond loopback without auth/],
    [{ auth: { mode: 'trusted-proxy' } }, {}, /trusted-proxy is not served here/],
    [{ auth: { mode: 'password' } }, {}, /set OPENCLAW_GATEWAY_PASSWORD/],
    [{ maxPayloadBytes: 100 * 1024 * 1024 }, {}, /maxPayloadBytes: must be <= 26214400/],
    [{}, { port: -1 }, /port: must be a whole number/],
    ['{ gateway: { port: 1 } }}', {}, /is not JSON5: line 1, column 25/],
    ['[]', {}, /must hold an object/],
    ['{ gateway: [] }', {}, /gateway: must be object/],
  ];
  for (const [config, flags, words] of cases) {
    t.throws(() => load(t, config, flags), { name: 'ConfigError', message: words });
    t.doesNotThrow(() => {
      try {
        load(t, config, flags);
      } catch (error) {
        if (String(error).includes('s3cret')) throw error;
      }
    });
  }
});

t.test('keys of the original that change nothing here are named', async (t) => {
  const { file } = load(
    t,
    '{ agents: {}, models: {}, gateway: { tailscale: {}, tls: { enabled: false }, controlUi: { dangerouslyDisableDeviceAuth: true }, auth: { rateLimit: { exemptLoopback: true } } }, logging: { level: "debug", consoleStyle: "pretty" } }',
  );
  t.same(file.ignored, [
    'agents',
    'models',
    'gateway.tailscale',
    'gateway.tls',
    'gateway.auth.rateLimit.exemptLoopback',
    'gateway.controlUi.dangerouslyDisableDeviceAuth',
  ]);
  t.equal(file.logging.level, 'debug');
});

t.test('a section of another type is refused by its name', async (t) => {
  for (const section of ['gateway', 'logging'])
    t.throws(() => load(t, `{ ${section}: null }`), { name: 'ConfigError', message: new RegExp(section) });
});

t.test('where things live', async (t) => {
  t.match(pathsFrom({ HOME: '/home/ada' }), {
    state: '/home/ada/.openclaw',
    config: '/home/ada/.openclaw/openclaw.json',
    socket: '/home/ada/.openclaw/gateway.sock',
  });
  t.match(pathsFrom({ HOME: '/home/ada', OPENCLAW_STATE_DIR: '~/gw', OPENCLAW_CONFIG_PATH: '/etc/openclaw.json' }), {
    state: '/home/ada/gw',
    config: '/etc/openclaw.json',
  });
  t.equal(pathsFrom({ HOME: '', OPENCLAW_STATE_DIR: '' }).state, join(homedir(), '.openclaw'), 'empty is not set');
});

t.test('when old ticks and connections go to the archive', async (t) => {
  t.equal(load(t, { audit: { archiveAfterDays: 7 } }).archiveAfterMs, 7 * 24 * 3_600_000);
  t.equal(load(t, { audit: { archiveAfterDays: 0 } }).archiveAfterMs, undefined, 'never');
  t.throws(() => load(t, { audit: { archiveAfterDays: 1.5 } }), /archiveAfterDays/);
  t.throws(() => load(t, { audit: { archiveAfterDays: 4000 } }), /archiveAfterDays/);
});

t.test('witnesses: a key of theirs each, and an address that nobody can listen in on', async (t) => {
  const [key, other] = [1, 2].map((n) => vkeyText(witnessVkey(n))) as [string, string];
  const url = 'https://witness.example/w/';
  const witnesses = (...list: readonly object[]) => load(t, { audit: { witnesses: list } }).witnesses;
  t.match(witnesses({ key, url }, { key: other, url: 'http://127.0.0.1:9/' }), [
    { vkey: { name: 'witness.example/w1' }, url: 'https://witness.example/w' },
    { url: 'http://127.0.0.1:9' },
  ]);
  for (const local of ['http://localhost', 'http://[::1]:8080'])
    t.match(witnesses({ key, url: local }), [{ url: local }]);
  t.same(load(t, undefined).witnesses, []);
  const sameName = vkeyText(vkeyOf('witness.example/w1', keyType.cosignature, keyOf(9)));
  const table: readonly (readonly [readonly object[], string])[] = [
    [[{ key: 'w1', url }], '0.key: not a verifier key'],
    [[{ key: vkeyText(LOG_VKEY), url }], '0.key: the key of a witness has the type 4; this is that of a log'],
    [[{ key: key.replace(/\+\w{8}\+/, '+00000000+'), url }], '0.key: a verifier key whose id is'],
    [
      [
        { key, url },
        { key, url: 'https://b' },
      ],
      '1.key: this key is that of a witness above',
    ],
    [
      [
        { key, url },
        { key: sameName, url },
      ],
      '1.key: a witness above is called witness.example/w1, too',
    ],
    [[{ key, url: 'http://witness.example' }], '0.url: must begin with https://'],
    [[{ key, url: 'witness.example' }], '0.url: must be an address'],
    [[{ key, url: 'ftp://witness.example' }], '0.url: must be an address'],
    [[{ key, url: 'https://me:pw@witness.example' }], '0.url: must be an address alone'],
    [[{ key, url: 'https://witness.example/?a=b' }], '0.url: must be an address alone'],
    [[{ key }], "0: must have required property 'url'"],
  ];
  for (const [list, why] of table)
    t.throws(
      () => witnesses(...list),
      { name: 'ConfigError', message: new RegExp(`witnesses\\.${why.replace(/[?+]/g, '.')}`) },
      why,
    );
  t.throws(() => witnesses(...Array.from({ length: 17 }, () => ({ key, url }))), /must NOT have more than 16 items/);
});

t.test('the log is served to nobody unless that is wanted', async (t) => {
  t.equal(load(t, undefined).tiles, false);
  t.equal(load(t, { audit: { tiles: true } }).tiles, true);
  t.throws(() => load(t, { audit: { tiles: 'yes' } }), /gateway\.audit\.tiles: must be boolean/);
});
