import { checkpointText } from '../../src/proof/checkpoint.js';
import { cosign } from '../../src/proof/cosignature.js';
import { keyType, noteText, signNote, vkeyOf, vkeyText } from '../../src/proof/note.js';
import { enclosed, receiptText } from '../../src/proof/receipt.js';
import { inclusionProof } from '../../src/proof/tree-proof.js';
import { keyOf, type Tree } from './tree.js';

/* A log and its witnesses, as an outsider sees them: their keys, and what they sign. */

export const ORIGIN = 'gateway.example/log';
export const LOG_KEY = keyOf(1);
export const LOG_VKEY = vkeyOf(ORIGIN, keyType.note, LOG_KEY);

/** When the witnesses of tests are asked: 2026-03-14T09:12:00Z and a bit. */
export const THEN = 1_773_479_520_250;

const witnessName = (n: number): string => `witness.example/w${n}`;
export const witnessVkey = (n: number) => vkeyOf(witnessName(n), keyType.cosignature, keyOf(100 + n));

/** The signed checkpoint of the first `size` leaves, cosigned by these witnesses, each a minute after the one before. */
export const checkpointOf = (tree: Tree, size: number, ...witnesses: readonly number[]): string => {
  const text = checkpointText({ origin: ORIGIN, size, root: tree.rootAt(size) });
  const cosigned = witnesses.map((n, at) => cosign(text, THEN + at * 60_000, witnessName(n), keyOf(100 + n)));
  return noteText({ text, signatures: [signNote(text, ORIGIN, LOG_KEY), ...cosigned] });
};

/** The receipt of a leaf, which it encloses. */
export const receiptOf = (tree: Tree, index: number, size: number, ...witnesses: readonly number[]): string =>
  receiptText({
    extra: enclosed(tree.leaves[index] as Buffer),
    index,
    proof: inclusionProof(index, size, tree.node),
    checkpoint: checkpointOf(tree, size, ...witnesses),
  });

/** A policy that believes this log, and knows three witnesses: `quorum` is the rest of it. */
export const policyText = (quorum = 'quorum none'): string =>
  [`log ${vkeyText(LOG_VKEY)}`, ...[1, 2, 3].map((n) => `witness w${n} ${vkeyText(witnessVkey(n))}`), quorum, ''].join(
    '\n',
  );
