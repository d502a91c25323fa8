import { type KeyObject, sign } from 'node:crypto';
import { claimedBy, keyType, type Note, type Signature, type Vkey, verified, vkeyOf } from './note.js';

/*
 * The cosignature of a witness (C2SP tlog-cosignature, Ed25519): at this time, this was the largest tree of the log it had seen, and
 * it was consistent with all before. Times are milliseconds here, as everywhere, and whole seconds in what is signed.
 */

const SECOND = 1000;
const TIME_BYTES = 8;

/** What a witness signs: the text of the checkpoint under two lines of its own. */
const messageOf = (text: string, seconds: number): Buffer => Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);

/** Signs a checkpoint as the witness of this name, who has to have seen that it is consistent. */
export const cosign = (text: string, at: number, name: string, privateKey: KeyObject): Signature => {
  const seconds = Math.floor(at / SECOND);
  const { id } = vkeyOf(name, keyType.cosignature, privateKey);
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(seconds));
  return { name, id, bytes: Buffer.concat([time, sign(null, messageOf(text, seconds), privateKey)]) };
};

/**
 * When this witness cosigned the note, the first time if it did repeatedly; undefined if it did not, or if something that claims to be
 * its cosignature does not verify.
 */
export const cosignedAt = (note: Note, vkey: Vkey): number | undefined => {
  if (vkey.type !== keyType.cosignature) return undefined;
  const times = claimedBy(note, vkey).map(({ bytes }) => timeOf(note.text, vkey, bytes));
  return times.includes(undefined) || times.length === 0 ? undefined : Math.min(...(times as number[]));
};

const timeOf = (text: string, vkey: Vkey, bytes: Buffer): number | undefined => {
  if (bytes.length < TIME_BYTES) return undefined;
  const at = Number(bytes.readBigUInt64BE()) * SECOND;
  if (!Number.isSafeInteger(at)) return undefined;
  return verified(messageOf(text, at / SECOND), vkey, bytes.subarray(TIME_BYTES)) ? at : undefined;
};
