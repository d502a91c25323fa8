import { deflateSync, inflateSync } from 'node:zlib';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../attempt.js';
import { limits } from '../limits.js';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.js';
import { base64, bytesIn, hashIn, numberIn } from './fields.js';
import { type Judgement, judge } from './judgement.js';
import { leafHash } from './merkle.js';
import type { Policy } from './policy.js';
import { verifyInclusion } from './tree-proof.js';

/*
 * A receipt (C2SP tlog-proof, a file *.tlog-proof): that one event is in a log that signed a checkpoint. Ours carry the exact bytes of
 * the event, as a zlib stream (RFC 1950) in the line `extra`, so that a receipt and a policy are all that it takes to check. As plain
 * base64 an event of 700 bytes alone would take up half of the 2 KB that a receipt should stay below.
 */

export interface Receipt {
  /** Means what the application says, and is not authenticated. */
  readonly extra?: Buffer | undefined;
  readonly index: number;
  readonly proof: readonly Buffer[];
  /** The note of a checkpoint, to the letter. */
  readonly checkpoint: string;
}

const HEADER = 'c2sp.org/tlog-proof@v1';
const EXTRA = 'extra ';
const INDEX = 'index ';

export const receiptText = ({ extra, index, proof, checkpoint }: Receipt): string =>
  [
    HEADER,
    ...(extra === undefined ? [] : [EXTRA + base64(extra)]),
    INDEX + index,
    ...proof.map(base64),
    '',
    checkpoint,
  ].join('\n');

/** Takes a receipt apart. It may come from anybody: nothing of it is believed until `checkReceipt` says so. */
export const parseReceipt = (text: string): Either<string, Receipt> => {
  if (text.length > limits.proof.receiptBytes)
    return E.left(`a receipt of more than ${limits.proof.receiptBytes} bytes`);
  const end = text.indexOf('\n\n');
  if (end < 0) return E.left('a receipt without an empty line before its checkpoint');
  const lines = text.slice(0, end).split('\n');
  if (lines.shift() !== HEADER) return E.left(`a receipt that does not begin with ${HEADER}`);
  const extra = lines[0]?.startsWith(EXTRA) === true ? bytesIn(lines.shift()?.slice(EXTRA.length) ?? '') : null;
  if (extra === undefined) return E.left('a receipt whose extra data is not base64');
  const first = lines.shift() ?? '';
  const index = first.startsWith(INDEX) ? numberIn(first.slice(INDEX.length)) : undefined;
  if (index === undefined) return E.left('a receipt without a line "index" and a decimal without leading zeros');
  const proof: Buffer[] = [];
  for (const line of lines) {
    const hash = hashIn(line);
    if (hash === undefined) return E.left(`hash ${proof.length + 1} of the receipt is not 32 bytes in base64`);
    proof.push(hash);
  }
  return E.right({ ...(extra !== null && { extra }), index, proof, checkpoint: text.slice(end + 2) });
};

/** The bytes of an event as they go into `extra`. */
export const enclosed = (leaf: Buffer): Buffer => deflateSync(leaf, { level: 9 });

/** Undefined where `extra` holds no leaf. No leaf is larger than that of an event, so nothing larger is unpacked. */
const disclosed = (extra: Buffer): Buffer | undefined =>
  attempt(() => {
    const inflated = inflateSync(extra, {
      maxOutputLength: limits.ledger.eventBytes,
      info: true,
    }) as unknown as Inflated;
    return inflated.engine.bytesWritten === extra.length ? inflated.buffer : undefined;
  });

/** With `info`, which the types do not know: only how much of the input was taken tells that nothing follows the stream. */
interface Inflated {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** The steps of a check, in their order. */
export type ReceiptStep = 'format' | 'entry' | 'log signature' | 'cosignatures' | 'inclusion';

/** Which step a receipt fails at, and what is wrong with it. */
export interface ReceiptFault {
  readonly step: ReceiptStep;
  readonly why: string;
}

/** What a good receipt proves: these bytes are the leaf at `index` of the log `origin`, whoever made the receipt. */
export interface Proven extends Judgement {
  readonly origin: string;
  readonly size: number;
  readonly index: number;
  readonly leaf: Buffer;
}

/** Checks a receipt, which may come from anybody, with nothing but a policy; and with the leaf, if that is not enclosed. */
export const checkReceipt = (text: string, policy: Policy, leaf?: Buffer): Either<ReceiptFault, Proven> => {
  const receipt = parseReceipt(text);
  if (E.isLeft(receipt)) return fault('format', receipt.left);
  const signed = openCheckpoint(receipt.right.checkpoint);
  if (E.isLeft(signed)) return fault('format', signed.left);

  const entry = leaf === undefined ? leafOf(receipt.right) : E.right(leaf);
  if (E.isLeft(entry)) return fault('entry', entry.left);

  const judgement = judge(policy, signed.right);
  if (E.isLeft(judgement)) return judgement;

  const missing = notIncluded(receipt.right, signed.right, entry.right);
  if (missing !== undefined)
    return fault('inclusion', leaf === undefined ? `${missing} (the event enclosed in "extra")` : missing);
  const { origin, size } = signed.right.checkpoint;
  return E.right({ ...judgement.right, origin, size, index: receipt.right.index, leaf: entry.right });
};

const fault = (step: ReceiptStep, why: string): Either<ReceiptFault, never> => E.left({ step, why });

const leafOf = ({ extra }: Receipt): Either<string, Buffer> => {
  if (extra === undefined) return E.left('the receipt encloses no event: its exact bytes are needed beside it');
  const leaf = disclosed(extra);
  return leaf === undefined
    ? E.left('what the receipt encloses is no event: its exact bytes are needed beside it')
    : E.right(leaf);
};

const notIncluded = ({ index, proof }: Receipt, { checkpoint: { size, root } }: SignedCheckpoint, leaf: Buffer) => {
  if (index >= size) return `index ${index} is not in a tree of ${size}`;
  return verifyInclusion(leafHash(leaf), index, size, proof, root) ? undefined : `this is not leaf ${index} of the log`;
};
