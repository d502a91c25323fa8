import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../attempt.js';
import { replaceFile } from '../files.js';

/*
 * The key of this machine as a client, and the tokens it was given, where the original keeps them and in its format: a machine
 * that is paired stays paired whichever of the two programs it uses (protocol.md §11.3).
 */

export interface Identity {
  readonly deviceId: string;
  /** base64url of the 32 raw bytes. */
  readonly publicKey: string;
  sign(text: string): string;
}

interface DeviceFile {
  readonly version: 1;
  readonly deviceId: string;
  readonly publicKeyPem: string;
  readonly privateKeyPem: string;
  readonly createdAtMs: number;
}

interface AuthFile {
  readonly version: 1;
  readonly deviceId: string;
  readonly tokens: Readonly<Record<string, StoredToken>>;
}

export interface StoredToken {
  readonly token: string;
  readonly role: string;
  readonly scopes: readonly string[];
  readonly updatedAtMs: number;
}

/** Reads the identity, or makes one. */
export const identityIn = (folder: string, now: number): Identity => {
  const file = join(folder, 'device.json');
  const stored = readJson<DeviceFile>(file);
  if (stored?.privateKeyPem !== undefined) return identityOf(createPrivateKey(stored.privateKeyPem));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const identity = identityOf(privateKey);
  const made: DeviceFile = {
    version: 1,
    deviceId: identity.deviceId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    createdAtMs: now,
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFile(file, `${JSON.stringify(made, null, 2)}\n`, 0o600);
  return identity;
};

const identityOf = (privateKey: KeyObject): Identity => {
  const { x = '' } = privateKey.export({ format: 'jwk' });
  const raw = Buffer.from(x, 'base64url');
  return {
    deviceId: createHash('sha256').update(raw).digest('hex'),
    publicKey: raw.toString('base64url'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
  };
};

const authFile = (folder: string): string => join(folder, 'device-auth.json');

export const storedToken = (folder: string, deviceId: string, role: string): StoredToken | undefined => {
  const stored = readJson<AuthFile>(authFile(folder));
  return stored?.deviceId === deviceId ? stored.tokens[role] : undefined;
};

/** Keeps what hello-ok told. Undefined forgets it. */
export const storeToken = (folder: string, deviceId: string, role: string, token: StoredToken | undefined): void => {
  const stored = readJson<AuthFile>(authFile(folder));
  const { [role]: _, ...others } = stored?.deviceId === deviceId ? stored.tokens : {};
  const tokens = token === undefined ? others : { ...others, [role]: token };
  replaceFile(
    authFile(folder),
    `${JSON.stringify({ version: 1, deviceId, tokens } satisfies AuthFile, null, 2)}\n`,
    0o600,
  );
};

const readJson = <T>(file: string): T | undefined => attempt(() => JSON.parse(readFileSync(file, 'utf8')) as T);
