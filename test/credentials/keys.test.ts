import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { keptSecret, makeSecret } from '../../src/credentials/gateway-secret.js';
import { loadKeys, sameSecret } from '../../src/credentials/keys.js';
import { folder } from '../support/ledger.js';
import { testEntropy } from '../support/world.js';

t.test('keys are made once, kept for the owner alone, and read again as they were', async (t) => {
  const file = join(folder(t), 'keys.json');
  const made = loadKeys(file, testEntropy('a'), 'make');
  t.equal(statSync(file).mode & 0o777, 0o600);
  const read = loadKeys(file, testEntropy('b'), 'refuse');
  t.equal(read.deviceToken('d', 'operator', 't'), made.deviceToken('d', 'operator', 't'));
  t.equal(read.fingerprint('x'), made.fingerprint('x'));
  t.equal(read.tokenKey, made.tokenKey);
});

t.test('a device token is 43 characters of base64url, and another for anything that differs', async (t) => {
  const keys = loadKeys(join(folder(t), 'keys.json'), testEntropy(), 'make');
  t.match(keys.deviceToken('d', 'operator', 't'), /^[A-Za-z0-9_-]{43}$/);
  const part = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (a, b) => {
      const same = a.every((value, i) => value === b[i]);
      return same === (keys.deviceToken(...a) === keys.deviceToken(...b));
    }),
  );
  t.not(
    keys.deviceToken('ab', 'c', ''),
    keys.deviceToken('a', 'bc', ''),
    'where one field ends and the next begins is part of it',
  );
});

t.test('a fingerprint is 16 characters of hex; of a source it is not that of a credential', async (t) => {
  const keys = loadKeys(join(folder(t), 'keys.json'), testEntropy(), 'make');
  t.match(keys.fingerprint('secret'), /^[0-9a-f]{16}$/);
  t.not(keys.fingerprint('10.0.0.1'), keys.source('10.0.0.1'));
  const other = loadKeys(join(folder(t), 'keys.json'), testEntropy('other'), 'make');
  t.not(keys.fingerprint('secret'), other.fingerprint('secret'), 'keyed: nobody can compare two logs, or try words');
});

t.test('secrets compare equal only if they are', async () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => sameSecret(a, b) === (a === b) && sameSecret(a, a)));
});

t.test('keys that are lost, foreign or open to others are refused, without a word of what is in them', async (t) => {
  const file = join(folder(t), 'keys.json');
  t.throws(() => loadKeys(file, testEntropy(), 'refuse'), {
    name: 'KeysUnusable',
    message: /is missing, but the log has events/,
  });
  loadKeys(file, testEntropy(), 'make');
  chmodSync(file, 0o640);
  t.throws(() => loadKeys(file, testEntropy(), 'refuse'), {
    name: 'NotPrivate',
    message: `others can read ${file} (mode 640): chmod 600 ${file}`,
  });
  chmodSync(file, 0o600);
  const text = readFileSync(file, 'utf8');
  for (const broken of [
    '',
    '{}',
    'nonsense',
    text.replace('"version": 1', '"version": 2'),
    text.replace(/"secret": "./, '"secret": "'),
    text.slice(0, -20),
  ]) {
    writeFileSync(file, broken);
    t.throws(() => loadKeys(file, testEntropy(), 'refuse'), {
      name: 'KeysUnusable',
      message: `${file} is not a key file of this version: restore it from a backup`,
    });
  }
});

t.test('a secret that we make is kept in a form a shell can source', async (t) => {
  const file = join(folder(t), 'gateway.env');
  t.equal(keptSecret(file), undefined);
  const made = makeSecret(file, testEntropy());
  t.match(made, { value: /^[0-9a-f]{48}$/, from: file, made: true });
  t.same(keptSecret(file), { value: made.value, from: file });
  chmodSync(file, 0o644);
  t.throws(() => keptSecret(file), { name: 'NotPrivate' });
});
