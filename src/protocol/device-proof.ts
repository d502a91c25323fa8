import { createPublicKey, hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import sodium from 'sodium-native';
import { attempt } from '../attempt.js';
import { limits } from '../limits.js';
import { lowered } from '../text.js';
import type { ConnectParams } from './connect-params.js';

/*
 * A device proves that it holds its key by signing our challenge and everything it claims that rules depend on (protocol.md §4). Verified by
 * libsodium, which takes half as long as OpenSSL and accepts nothing that OpenSSL refuses.
 */

export type DeviceFault =
  | 'device-id-mismatch'
  | 'device-signature-stale'
  | 'device-nonce-missing'
  | 'device-nonce-mismatch'
  | 'device-signature'
  | 'device-public-key';

type Device = NonNullable<ConnectParams['device']>;

interface Challenge {
  readonly nonce: string;
  readonly now: number;
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** DER of an Ed25519 SubjectPublicKeyInfo without the key itself (RFC 8410 §4). */
const SPKI_BYTES = 12;

/** A public key as it was sent, and what has been made of it. */
interface KnownKey {
  /** Hex SHA-256 of the raw bytes: the device id. */
  readonly id: string;
  /** The form in which keys are kept and compared: base64url of the raw bytes. */
  readonly canonical: string;
  /** The raw bytes; undefined if no secret belongs to them. */
  readonly key: Buffer | undefined;
}

/*
 * Points of order 1, 2, 4 and 8, as y in hex without its sign bit: a signature for such a key can be made without any secret, so
 * whoever approved one would have approved everybody (the points that libsodium refuses too).
 */
const SMALL_ORDER: ReadonlySet<string> = new Set([
  '00'.repeat(KEY_BYTES),
  `01${'00'.repeat(KEY_BYTES - 1)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(KEY_BYTES - 2)}7f`,
  `ed${'ff'.repeat(KEY_BYTES - 2)}7f`,
  `ee${'ff'.repeat(KEY_BYTES - 2)}7f`,
]);

const known = new LRUCache<string, KnownKey>({ max: limits.signature.keysCached });

/** What is wrong with the proof, the first in the order of the protocol; undefined if it holds. The cheap checks come first. */
export const faultOf = (
  device: Device,
  params: ConnectParams,
  role: string,
  challenge: Challenge,
): DeviceFault | undefined => {
  const publicKey = keyOf(device.publicKey);
  if (publicKey === undefined || publicKey.id !== device.id) return 'device-id-mismatch';
  if (Math.abs(challenge.now - device.signedAt) > limits.signature.skewMs) return 'device-signature-stale';
  if (device.nonce.trim() === '') return 'device-nonce-missing';
  if (device.nonce.trim() !== challenge.nonce) return 'device-nonce-mismatch';
  const { key } = publicKey;
  if (key === undefined) return 'device-public-key';
  const signature = fromBase64(device.signature);
  if (signature?.length !== SIGNATURE_BYTES) return 'device-signature';
  const signed = signedText(device, params, role);
  const holds = (text: string): boolean => sodium.crypto_sign_verify_detached(signature, Buffer.from(text), key);
  return holds(signed.v3) || holds(signed.v2) ? undefined : 'device-signature';
};

/** The form in which a key is kept and compared; empty if it is none. */
export const canonicalKey = (publicKey: string): string => keyOf(publicKey)?.canonical ?? '';

/** Fields joined by `|`. The second form is what browsers sign; platform and family are outside it. */
const signedText = (
  device: Device,
  { client, scopes = [], auth = {} }: ConnectParams,
  role: string,
): { readonly v2: string; readonly v3: string } => {
  const token = [auth.token, auth.deviceToken, auth.bootstrapToken].find((candidate) => candidate) ?? '';
  const common = [
    device.id,
    client.id,
    client.mode,
    role,
    scopes.join(','),
    String(device.signedAt),
    token,
    device.nonce,
  ].join('|');
  return { v2: `v2|${common}`, v3: `v3|${common}|${lowered(client.platform)}|${lowered(client.deviceFamily)}` };
};

/** Base64url or base64 of 32 bytes, or a PEM. */
const rawKey = (publicKey: string): Buffer | undefined => {
  if (publicKey.includes('BEGIN')) {
    const der = attempt(() => createPublicKey(publicKey).export({ type: 'spki', format: 'der' }));
    return der?.length === SPKI_BYTES + KEY_BYTES ? der.subarray(SPKI_BYTES) : undefined;
  }
  const raw = fromBase64(publicKey);
  return raw?.length === KEY_BYTES ? raw : undefined;
};

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

const fromBase64 = (text: string): Buffer | undefined =>
  BASE64.test(text) ? Buffer.from(text, 'base64url') : undefined;

const keyOf = (publicKey: string): KnownKey | undefined => {
  const before = known.get(publicKey);
  if (before !== undefined) return before;
  const raw = rawKey(publicKey);
  if (raw === undefined) return undefined;
  const made = {
    id: hash('sha256', raw, 'hex'),
    canonical: raw.toString('base64url'),
    key: isSmallOrder(raw) ? undefined : raw,
  };
  known.set(publicKey, made);
  return made;
};

const isSmallOrder = (raw: Buffer): boolean => {
  const y = Buffer.from(raw);
  y[KEY_BYTES - 1] = (y[KEY_BYTES - 1] ?? 0) & 0x7f;
  return SMALL_ORDER.has(y.toString('hex'));
};
