import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { openCheckpoint } from '../proof/checkpoint.js';
import { enclosed, receiptText } from '../proof/receipt.js';
import { inclusionProof } from '../proof/tree-proof.js';
import type { Reader } from './reader.js';

/** A receipt for one event, under a checkpoint that has it. The left says why there is none. */
export const receiptFor = (log: Reader, seq: number, checkpoint: string): Either<string, string> => {
  const opened = openCheckpoint(checkpoint);
  if (E.isLeft(opened)) return opened;
  const { size } = opened.right.checkpoint;
  const bytes = seq >= 1 && seq <= size ? log.bytes(seq) : undefined;
  if (bytes === undefined) return E.left(`there is no event ${seq}`);
  const index = seq - 1;
  const proof = inclusionProof(index, size, log.nodes(size));
  return E.right(receiptText({ extra: enclosed(bytes), index, proof, checkpoint }));
};
