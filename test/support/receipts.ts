import { isLeft } from 'fp-ts/lib/Either.js';
import { checkpointText, openCheckpoint } from '../../src/proof/checkpoint.js';
import { noteText, type Signature, signNote, vkeyText } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { checkReceipt, enclosed, parseReceipt, type Receipt, receiptText } from '../../src/proof/receipt.js';
import { right } from './either.js';
import { checkpointOf, LOG_VKEY, ORIGIN, policyText, receiptOf, witnessVkey } from './log.js';
import { around, grown, keyOf, leavesOf } from './tree.js';

/* Receipts of every kind, with what a verifier has to say of them. */

/** `good`, or the step at which it fails. */
export type Verdict = string;

/** What src/proof says. */
export const verdictOf = (receipt: string, policy: string): Verdict => {
  const believed = parsePolicy(policy);
  if (isLeft(believed)) return 'policy';
  const answer = checkReceipt(receipt, believed.right);
  return isLeft(answer) ? answer.left.step : 'good';
};

export interface ReceiptCase {
  readonly what: string;
  readonly receipt: string;
  readonly policy: string;
  readonly verdict: Verdict;
}

export const TRUSTING = policyText();
export const WITNESSED = policyText('group g 2 w1 w2 w3\nquorum g');

const SIZE = 1000;
const LARGEST = Number.MAX_SAFE_INTEGER;
const tree = grown(leavesOf(SIZE));
const leafAt = (index: number): Buffer => tree.leaves[index] as Buffer;
const far = (index: number) => around(index, Buffer.from(`event ${index}`));

/** One that is good by both policies. */
export const GOOD = receiptOf(tree, 123, SIZE, 1, 3);

const good: readonly ReceiptCase[] = [
  ['the only event', receiptOf(tree, 0, 1), TRUSTING],
  ['the first of two', receiptOf(tree, 0, 2), TRUSTING],
  ['the second of two', receiptOf(tree, 1, 2), TRUSTING],
  ['the first of a thousand', receiptOf(tree, 0, SIZE), TRUSTING],
  ['the last of a thousand', receiptOf(tree, SIZE - 1, SIZE), TRUSTING],
  ['one of a million', receiptOf(far(654_321), 654_321, 1_000_000), TRUSTING],
  ['the last of a million and one', receiptOf(far(1_000_000), 1_000_000, 1_000_001, 1, 2), WITNESSED],
  ['the last of the largest tree', receiptOf(far(LARGEST - 1), LARGEST - 1, LARGEST), TRUSTING],
  ['the first of the largest tree', receiptOf(far(0), 0, LARGEST), TRUSTING],
  ['the largest event', receiptOf(around(5, Buffer.alloc(65_535, 'x')), 5, 9), TRUSTING],
  ['an event without bytes', receiptOf(around(5, Buffer.alloc(0)), 5, 9), TRUSTING],
  ['more cosignatures than asked for', receiptOf(tree, 7, SIZE, 1, 2, 3), policyText('quorum w2')],
  ['cosigned by two of three', GOOD, WITNESSED],
  ['cosigned by somebody unknown', receiptOf(tree, 7, SIZE, 9), TRUSTING],
].map(([what = '', receipt = '', policy = '']) => ({ what, receipt, policy, verdict: 'good' }));

const parts = right(parseReceipt(GOOD));
const changed = (changes: Partial<Receipt>): string => receiptText({ ...parts, ...changes });
const { text, signatures } = right(openCheckpoint(parts.checkpoint)).note;
/** The same checkpoint under other signatures. */
const signedBy = (...signatures: readonly Signature[]): string =>
  changed({ checkpoint: noteText({ text, signatures }) });
const [ours, first, third] = signatures as [Signature, Signature, Signature];
/** The signatures of an earlier checkpoint: by the log, by w1 and by w2. */
const earlier = right(openCheckpoint(checkpointOf(tree, 999, 1, 2))).note.signatures;
const [, , second] = earlier as [Signature, Signature, Signature];

/** A checkpoint of the same tree by another key, under whatever name. */
const signedAs = (origin: string, key: number): string => {
  const text = checkpointText({ origin, size: SIZE, root: tree.rootAt(SIZE) });
  return changed({ checkpoint: noteText({ text, signatures: [signNote(text, origin, keyOf(key))] }) });
};

const format: readonly [what: string, receipt: string][] = [
  ['nothing', ''],
  ['no empty line', GOOD.replace('\n\n', '\n').replace('\n\n', '\n')],
  ['two empty lines before the checkpoint', GOOD.replace('\n\n', '\n\n\n')],
  ['two empty lines before the signatures', GOOD.replace('\n\n—', '\n\n\n—')],
  ['an empty line at the end', `${GOOD}\n`],
  ['no newline at the end', GOOD.slice(0, -1)],
  ['something behind the end', `${GOOD}and more\n`],
  ['carriage returns', GOOD.replaceAll('\n', '\r\n')],
  ['a byte order mark', `\ufeff${GOOD}`],
  ['half a character', GOOD.replace(`\n${ORIGIN}\n`, `\n${ORIGIN}\ud800\n`)],
  ['a control character', GOOD.replace(`\n${ORIGIN}\n`, `\n${ORIGIN}\0\n`)],
  ['another version', GOOD.replace('@v1', '@v2')],
  ['extra twice', GOOD.replace(/^extra .*\n/m, '$&$&')],
  ['extra that is not base64', GOOD.replace(/^extra .{4}/m, 'extra !!!!')],
  ['extra with a letter more', GOOD.replace(/^extra .*$/m, '$&A')],
  ['no index', GOOD.replace(/^index .*\n/m, '')],
  ['an index with a leading zero', GOOD.replace('index 123', 'index 0123')],
  ['an index with a sign', GOOD.replace('index 123', 'index +123')],
  ['an index that is too large', GOOD.replace('index 123', 'index 9007199254740992')],
  ['a hash of 31 bytes', changed({ proof: [Buffer.alloc(31), ...parts.proof.slice(1)] })],
  ['bits in the padding of a hash', GOOD.replace(/^([\w+/]{42}).=$/m, '$1B=')],
  ['a size with a leading zero', GOOD.replace('\n1000\n', '\n01000\n')],
  ['a root that is none', GOOD.replace(/(\n1000\n).*\n/, '$1AAAA\n')],
  ['no origin', GOOD.replace(`\n\n${ORIGIN}\n`, '\n\n\n')],
  ['no signature', changed({ checkpoint: `${text}\n` })],
  ['a signature without its dash', GOOD.replace('\n— ', '\n- ')],
  ['a signature of no bytes', signedBy({ ...ours, bytes: Buffer.alloc(0) })],
  ['too many signatures', signedBy(...Array<Signature>(101).fill(ours))],
  ['too large', `${GOOD}${'x'.repeat(1_200_000)}`],
  [
    'a checkpoint that is too large',
    changed({ checkpoint: `${text.slice(0, -1)}${'x'.repeat(1_000_000)}\n\n${ours}` }),
  ],
];

const entry: readonly [what: string, receipt: string][] = [
  ['no event', receiptText({ ...parts, extra: undefined })],
  ['an event that is not packed', changed({ extra: leafAt(123) })],
  ['nothing in its place', changed({ extra: Buffer.alloc(0) })],
  ['half an event', changed({ extra: enclosed(leafAt(123)).subarray(0, -5) })],
  ['a wrong checksum', changed({ extra: Buffer.concat([enclosed(leafAt(123)).subarray(0, -1), Buffer.of(1)]) })],
  ['one byte more than an event has', changed({ extra: enclosed(Buffer.alloc(65_536)) })],
  ['a hundred megabytes in its place', changed({ extra: enclosed(Buffer.alloc(100_000_000)) })],
];

const logSignature: readonly [what: string, receipt: string][] = [
  ['another size', GOOD.replace('\n1000\n', '\n1001\n')],
  ['another root', GOOD.replace(tree.rootAt(SIZE).toString('base64'), tree.rootAt(999).toString('base64'))],
  ['one more line', GOOD.replace('\n\n—', '\none more line\n\n—')],
  ['another log', signedAs('other.example/log', 2)],
  ['another key of a log of this name', signedAs(ORIGIN, 2)],
  ['another origin under our signature', GOOD.replace(`\n${ORIGIN}\n`, '\nother.example/log\n')],
  ['only cosignatures', signedBy(first, third)],
  ['the signature of another checkpoint', signedBy(...earlier.slice(0, 1), first, third)],
  ['a good signature beside a bad one', signedBy(ours, ...earlier, first, third)],
  ['a signature of 63 bytes', signedBy({ ...ours, bytes: ours.bytes.subarray(1) })],
];

const cosignatures: readonly [what: string, receipt: string][] = [
  ['none', signedBy(ours)],
  ['one of two', signedBy(ours, first)],
  ['one twice', signedBy(ours, first, first)],
  ['those of another checkpoint', signedBy(ours, ...earlier.slice(1))],
  ['one that does not verify beside two that do', signedBy(ours, first, third, second)],
  [
    'one at another time',
    signedBy(ours, first, { ...third, bytes: Buffer.concat([first.bytes.subarray(0, 8), third.bytes.subarray(8)]) }),
  ],
  ['one in a time without end', signedBy(ours, first, { ...third, bytes: Buffer.from(third.bytes).fill(0xff, 0, 8) })],
  ['one that is but a time', signedBy(ours, first, { ...third, bytes: third.bytes.subarray(0, 7) })],
];

const inclusion: readonly [what: string, receipt: string][] = [
  ['another event', changed({ extra: enclosed(leafAt(124)) })],
  ['another place', changed({ index: 124 })],
  ['another event in its own place', changed({ index: 124, extra: enclosed(leafAt(124)) })],
  ['a place behind the end', changed({ index: SIZE })],
  ['a hash less', changed({ proof: parts.proof.slice(1) })],
  ['a hash more', changed({ proof: [...parts.proof, Buffer.alloc(32)] })],
  ['no hashes', changed({ proof: [] })],
  ['a thousand hashes', changed({ proof: Array(1000).fill(Buffer.alloc(32)) })],
  ['another hash', changed({ proof: parts.proof.with(3, Buffer.alloc(32)) })],
  ['hashes in another order', changed({ proof: parts.proof.toReversed() })],
  ['the checkpoint of another size', changed({ checkpoint: checkpointOf(tree, 999, 1, 3) })],
];

const failing = (verdict: Verdict, receipts: readonly [string, string][]): readonly ReceiptCase[] =>
  receipts.map(([what, receipt]) => ({ what: `${verdict}: ${what}`, receipt, policy: WITNESSED, verdict }));

const LOG = vkeyText(LOG_VKEY);
const WITNESS = vkeyText(witnessVkey(1));

/** Policies that cannot be read; `log` and `w1` stand for good lines. */
const policies: readonly ReceiptCase[] = [
  '',
  'quorum none',
  `log ${LOG}`,
  `log ${LOG}\nlog ${LOG}\nquorum none`,
  `log ${LOG.replace('+', '-')}\nquorum none`,
  `log ${LOG.replace(/\+[0-9a-f]{8}\+/, '+00000000+')}\nquorum none`,
  `log ${LOG.slice(0, -4)}\nquorum none`,
  `log ${WITNESS}\nquorum none`,
  `log ${LOG}\nwitness w1 ${LOG}\nquorum none`,
  `log ${LOG}\nwitness none ${WITNESS}\nquorum none`,
  `log ${LOG}\nwitness w1 ${WITNESS}\nwitness w2 ${WITNESS}\nquorum none`,
  `log ${LOG}\nwitness w1 ${WITNESS}\ngroup g 2 w1\nquorum g`,
  `log ${LOG}\nwitness w1 ${WITNESS}\ngroup g 0 w1\nquorum g`,
  `log ${LOG}\nwitness w1 ${WITNESS}\ngroup g toString w1\nquorum g`,
  `log ${LOG}\nwitness w1 ${WITNESS}\ngroup g any w1 w1\nquorum g`,
  `log ${LOG}\nwitness w1 ${WITNESS}\ngroup g any g\nquorum g`,
  `log ${LOG}\nquorum w1`,
  `log ${LOG}\nquorum none\nquorum none`,
  `log ${LOG}\nquorum none\ntoString x`,
  `log ${LOG}\r\nquorum none`,
  `log ${LOG} url more\nquorum none`,
  `log ${LOG}\nquorum none\n#${'x'.repeat(262_144)}`,
].map((policy) => ({ what: `policy: ${policy.slice(0, 200)}`, receipt: GOOD, policy, verdict: 'policy' }));

export const CASES: readonly ReceiptCase[] = [
  ...good,
  ...failing('format', format),
  ...failing('entry', entry),
  ...failing('log signature', logSignature),
  ...failing('cosignatures', cosignatures),
  ...failing('inclusion', inclusion),
  ...policies,
];
