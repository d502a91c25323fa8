import { HASH_BYTES } from './merkle.js';

/* Numbers and bytes as the text formats write them. Read strictly: for each value there is one way of writing it. */

/** A decimal without sign or leading zeros, up to the largest safe integer; undefined if it is anything else. */
export const numberIn = (text: string): number | undefined => {
  const value = /^(?:0|[1-9]\d{0,15})$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
};

/** Standard base64 (RFC 4648 §4), with its padding and with zeros in the bits that stand for nothing; undefined if it is anything else. */
export const bytesIn = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};

export const hashIn = (text: string): Buffer | undefined => {
  const bytes = bytesIn(text);
  return bytes?.length === HASH_BYTES ? bytes : undefined;
};

export const base64 = (bytes: Buffer): string => bytes.toString('base64');
