import { createHmac, createPrivateKey, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mustBePrivate, replaceFile } from '../files.js';
import type { Entropy } from '../ports.js';
import { keyType, type Signature, signNote, type Vkey, vkeyOf } from '../proof/note.js';

/*
 * The keys of a gateway, one per purpose, in one 0600 file. Losing it kills every device token, and an auditor never gets it:
 * a copy of the log without it opens nothing.
 */

interface Key {
  readonly id: string;
  readonly secret: string;
}

interface KeyFile {
  readonly version: 1;
  readonly token: Key;
  readonly fingerprint: Key;
  /** Ed25519, by its seed. */
  readonly checkpoint: Key;
}

type Incomplete = Omit<KeyFile, 'checkpoint'> & { readonly checkpoint?: Key | undefined };

const KEY_BYTES = 32;

/** Keys that cannot be used, and what to do about it. */
export class KeysUnusable extends Error {
  override readonly name = 'KeysUnusable';
}

/** Reads the keys; makes them if there are none yet and nothing depends on ones that were lost. */
export const loadKeys = (file: string, entropy: Entropy, lost: 'make' | 'refuse'): Keys => {
  if (existsSync(file)) return new Keys(complete(parse(file), file, entropy));
  if (lost === 'refuse') {
    throw new KeysUnusable(
      `${file} is missing, but the log has events: restore it from a backup, or run with --new-keys, after which every device token is dead and devices must show the gateway secret once`,
    );
  }
  return new Keys(
    written(file, {
      version: 1,
      token: newKey(entropy),
      fingerprint: newKey(entropy),
      checkpoint: newKey(entropy),
    }),
  );
};

const written = (file: string, keys: KeyFile): KeyFile => {
  replaceFile(file, `${JSON.stringify(keys, null, 2)}\n`, 0o600);
  return keys;
};

/** A file from before checkpoints were signed gets the key for it. */
const complete = (keys: Incomplete, file: string, entropy: Entropy): KeyFile =>
  keys.checkpoint === undefined
    ? written(file, { ...keys, checkpoint: newKey(entropy) })
    : { ...keys, checkpoint: keys.checkpoint };

const newKey = (entropy: Entropy): Key => ({
  id: entropy.bytes(4).toString('hex'),
  secret: Buffer.from(entropy.bytes(KEY_BYTES)).toString('base64url'),
});

const parse = (file: string): Incomplete => {
  mustBePrivate(file);
  try {
    const keys = JSON.parse(readFileSync(file, 'utf8')) as Incomplete;
    const { version, token, fingerprint, checkpoint = token } = keys;
    if (version === 1 && [token, fingerprint, checkpoint].every(isKey)) return keys;
  } catch {
    // Said below: what is in the file is not repeated.
  }
  throw new KeysUnusable(`${file} is not a key file of this version: restore it from a backup`);
};

const isKey = (key: Partial<Key> | undefined): boolean =>
  typeof key?.id === 'string' &&
  typeof key.secret === 'string' &&
  Buffer.from(key.secret, 'base64url').length === KEY_BYTES;

const FINGERPRINT_CHARS = 16;
const DIGEST_CHARS = 32;

/** What is done with the keys; the keys themselves are not told. */
export class Keys {
  private readonly token: KeyObject;
  private readonly fingerprintKey: KeyObject;
  private readonly checkpointKey: KeyObject;
  /** Names the key that device tokens are derived with, in events. */
  readonly tokenKey: string;

  constructor(keys: KeyFile) {
    this.tokenKey = keys.token.id;
    this.token = createSecretKey(keys.token.secret, 'base64url');
    this.fingerprintKey = createSecretKey(keys.fingerprint.secret, 'base64url');
    this.checkpointKey = ed25519(Buffer.from(keys.checkpoint.secret, 'base64url'));
  }

  /**
   * The value of a device token: HMAC-SHA256 over its purpose, device, role and id, each with its length, as 43 characters of
   * base64url. The value can be said again at every hello and is stored nowhere.
   */
  deviceToken(device: string, role: string, token: string): string {
    return mac(this.token, ['device-token', device, role, token]).toString('base64url');
  }

  /** Names a credential without telling it: 16 characters of hex, safe to print, the same for the same credential. */
  fingerprint(credential: string): string {
    return mac(this.fingerprintKey, ['credential', credential]).toString('hex').slice(0, FINGERPRINT_CHARS);
  }

  /** Names what somebody said without telling it: the same for the same, and only for whoever has the keys. 32 characters of hex. */
  digest(said: string): string {
    return mac(this.fingerprintKey, ['said', said]).toString('hex').slice(0, DIGEST_CHARS);
  }

  /** Signs checkpoints as the log of this origin. */
  signer(origin: string): { readonly vkey: Vkey; readonly sign: (text: string) => Signature } {
    return {
      vkey: vkeyOf(origin, keyType.note, this.checkpointKey),
      sign: (text) => signNote(text, origin, this.checkpointKey),
    };
  }

  /** Names a network source, which is personal, the same way. */
  source(address: string): string {
    return mac(this.fingerprintKey, ['source', address]).toString('hex').slice(0, FINGERPRINT_CHARS);
  }
}

/** An Ed25519 key of this seed, in the DER form that Node reads (RFC 8410 §7). */
const ed25519 = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, seed]), format: 'der', type: 'pkcs8' });

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Fields with their lengths before them: no two lists of fields give the same bytes. */
const mac = (key: KeyObject, fields: readonly string[]): Buffer =>
  createHmac('sha256', key)
    .update(fields.map((field) => `${Buffer.byteLength(field)}:${field}`).join(''))
    .digest();

/** Compares secrets in a time that tells nothing about them, not even their length. */
export const sameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));

const digest = (secret: string): Buffer => hash('sha256', secret, 'buffer');
