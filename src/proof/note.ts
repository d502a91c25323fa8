import { isUtf8 } from 'node:buffer';
import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { limits } from '../limits.js';
import { base64, bytesIn } from './fields.js';

/*
 * Signed notes (C2SP signed-note): a text that ends in a newline, an empty line, and signatures, each a line of its own.
 */

/** What a key is for, as the first byte of what a vkey holds: notes of a log, or the cosignatures of a witness. Both are Ed25519. */
export const keyType = { note: 0x01, cosignature: 0x04 } as const;

export type KeyType = (typeof keyType)[keyof typeof keyType];

/** A public key by which signatures are known: a name, and a number made of the name and the key. */
export interface Vkey {
  readonly name: string;
  readonly id: number;
  readonly type: KeyType;
  /** The 32 bytes of the Ed25519 key. */
  readonly key: Buffer;
}

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const ID_BYTES = 4;

/** The first four bytes of SHA-256(name ‖ newline ‖ type ‖ key), big-endian. */
export const noteKeyId = (name: string, type: number, key: Buffer): number =>
  Buffer.from(
    hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), key]), 'hex'),
    'hex',
  ).readUInt32BE();

/** The vkey of a key pair, from either of its keys. Throws where the name cannot be one, or the key is not Ed25519. */
export const vkeyOf = (name: string, type: KeyType, keyObject: KeyObject): Vkey => {
  if (!isKeyName(name)) throw new RangeError('the name of a key has neither spaces nor +');
  const publicKey = keyObject.type === 'private' ? createPublicKey(keyObject) : keyObject;
  if (publicKey.asymmetricKeyType !== 'ed25519') throw new RangeError('not an Ed25519 key');
  const key = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return { name, type, key, id: noteKeyId(name, type, key) };
};

/** `name+id+key`: the id in eight hexadecimal digits, type and key in base64. */
export const vkeyText = ({ name, id, type, key }: Vkey): string =>
  `${name}+${hexOf(id)}+${base64(Buffer.concat([Buffer.of(type), key]))}`;

/** What somebody pasted. */
export const parseVkey = (text: string): Either<string, Vkey> => {
  const [, name = '', id = '', encoded = ''] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/s.exec(text) ?? [];
  if (!isKeyName(name)) return E.left('not a verifier key: name+id+base64, the id in 8 hexadecimal digits');
  const [type, ...rest] = bytesIn(encoded) ?? [];
  if (type === undefined) return E.left('a verifier key that is not base64');
  if (type !== keyType.note && type !== keyType.cosignature)
    return E.left(`a verifier key of type ${type}; known are 1 (Ed25519) and 4 (Ed25519 cosignatures)`);
  const key = Buffer.from(rest);
  if (key.length !== KEY_BYTES) return E.left(`an Ed25519 key of ${key.length} bytes instead of ${KEY_BYTES}`);
  const expected = noteKeyId(name, type, key);
  if (hexOf(expected) !== id) return E.left(`a verifier key whose id is ${hexOf(expected)} and not ${id}`);
  return E.right({ name, id: expected, type, key });
};

const hexOf = (id: number): string => id.toString(16).padStart(8, '0');

const isKeyName = (name: string): boolean => name !== '' && name.isWellFormed() && !/[\p{White_Space}+]/u.test(name);

/** A line `— name base64(id ‖ signature)`. */
export interface Signature {
  readonly name: string;
  readonly id: number;
  readonly bytes: Buffer;
}

export interface Note {
  /** What was signed, with its last newline. */
  readonly text: string;
  /** At least one. Those of keys that nobody knows mean nothing. */
  readonly signatures: readonly Signature[];
}

const DASH = '— ';

export const signatureLine = ({ name, id, bytes }: Signature): string => {
  const head = Buffer.alloc(ID_BYTES);
  head.writeUInt32BE(id);
  return `${DASH}${name} ${base64(Buffer.concat([head, bytes]))}\n`;
};

export const noteText = ({ text, signatures }: Note): string => `${text}\n${signatures.map(signatureLine).join('')}`;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/;

/**
 * Takes a note apart. It may come from anybody: until a signature by a known key was verified, its text is to be ignored. Bytes are
 * looked at before they become a string, since what is no UTF-8 would be replaced by something that is.
 */
export const openNote = (note: string | Buffer): Either<string, Note> => {
  if (note.length > limits.proof.noteBytes) return E.left(`a note of more than ${limits.proof.noteBytes} bytes`);
  if (typeof note === 'string' ? !note.isWellFormed() : !isUtf8(note)) return E.left('a note that is not UTF-8');
  const whole = note.toString();
  if (CONTROL.test(whole)) return E.left('a note with control characters');
  const end = whole.lastIndexOf('\n\n');
  if (end < 0) return E.left('a note without an empty line before its signatures');
  const signatures = parseSignatures(whole.slice(end + 2));
  return E.isLeft(signatures) ? signatures : E.right({ text: whole.slice(0, end + 1), signatures: signatures.right });
};

/** Signature lines, at least one; from anybody, like a note. */
export const parseSignatures = (text: string): Either<string, readonly Signature[]> => {
  if (!text.endsWith('\n')) return E.left('a note whose signatures do not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > limits.proof.signatures)
    return E.left(`a note with more than ${limits.proof.signatures} signatures`);
  const signatures: Signature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (signature === undefined) return E.left(`signature ${signatures.length + 1} is not "— name base64"`);
    signatures.push(signature);
  }
  return E.right(signatures);
};

const parseSignature = (line: string): Signature | undefined => {
  const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const bytes = bytesIn(encoded);
  if (!isKeyName(name) || bytes === undefined || bytes.length <= ID_BYTES) return undefined;
  return { name, id: bytes.readUInt32BE(), bytes: bytes.subarray(ID_BYTES) };
};

/** Signs a text as the log of this name. Throws where it cannot be the text of a note. */
export const signNote = (text: string, name: string, privateKey: KeyObject): Signature => {
  if (!text.endsWith('\n') || CONTROL.test(text) || !text.isWellFormed())
    throw new RangeError('not the text of a note');
  const { id } = vkeyOf(name, keyType.note, privateKey);
  return { name, id, bytes: sign(null, Buffer.from(text), privateKey) };
};

/** The signatures that claim to be by a key: name and id are those of the key. */
export const claimedBy = ({ signatures }: Note, { name, id }: Vkey): readonly Signature[] =>
  signatures.filter((signature) => signature.name === name && signature.id === id);

/**
 * Is the note signed by this key of a log? One that claims to be and does not verify is not made good by another that does: the
 * specification would have the whole note refused.
 */
export const signedBy = (note: Note, vkey: Vkey): boolean => {
  const claimed = claimedBy(note, vkey);
  const message = Buffer.from(note.text);
  return (
    vkey.type === keyType.note && claimed.length > 0 && claimed.every(({ bytes }) => verified(message, vkey, bytes))
  );
};

/** Is this the Ed25519 signature of the message? False for whatever cannot be one. */
export const verified = (message: Buffer, { key }: Vkey, signature: Buffer): boolean => {
  if (key.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: key.toString('base64url') };
  return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature);
};
