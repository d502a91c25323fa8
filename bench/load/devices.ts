import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';

/* Devices by number: every process makes the same key of the same number, so none has to be told any. */

export interface Device {
  readonly id: string;
  readonly publicKey: string;
  sign(text: string): string;
}

const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const made = new Map<number, Device>();

const digest = (text: string | Buffer): Buffer => createHash('sha256').update(text).digest();

export const deviceOf = (number: number): Device => {
  const known = made.get(number);
  if (known !== undefined) return known;
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_ED25519, digest(`bench device ${number}`)]),
    format: 'der',
    type: 'pkcs8',
  });
  const device = deviceWith(key);
  made.set(number, device);
  return device;
};

const deviceWith = (key: KeyObject): Device => {
  const raw = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    id: digest(raw).toString('hex'),
    publicKey: raw.toString('base64url'),
    sign: (text) => sign(null, Buffer.from(text), key).toString('base64url'),
  };
};
