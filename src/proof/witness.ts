import * as E from 'fp-ts/lib/Either.js';
import { cosignedAt } from './cosignature.js';
import { base64, numberIn } from './fields.js';
import { claimedBy, type Note, noteText, parseSignatures, type Signature, type Vkey } from './note.js';

/* What is said to a witness, and what it answers (C2SP tlog-witness): POST <url>/add-checkpoint. */

/** The body: the size that the witness is believed to have, 0 at first, and that what it has is the beginning of this. */
export const addCheckpoint = (oldSize: number, proof: readonly Buffer[], checkpoint: Note): string =>
  [`old ${oldSize}`, ...proof.map(base64), '', noteText(checkpoint)].join('\n');

export type WitnessAnswer =
  /** It cosigned, at this time (milliseconds since the epoch); these lines go under the checkpoint. */
  | { readonly kind: 'cosigned'; readonly at: number; readonly signatures: readonly Signature[] }
  /**
   * It has this size: ask again with a proof from there. If that is more than we have, our log was rolled back, or there are two; if it is
   * what the request began from, it has another tree of this size, and asking again would not help.
   */
  | { readonly kind: 'other size'; readonly size: number }
  | { readonly kind: 'refused'; readonly why: string };

/** Reads an answer, which is whatever is at the other end of a URL. Signatures by others than this witness are left out. */
export const witnessAnswer = (status: number, body: string, checkpoint: Note, witness: Vkey): WitnessAnswer => {
  if (status === 200) return cosignature(body, checkpoint, witness);
  if (status === 409) {
    const size = numberIn(body.replace(/\n$/, ''));
    return size === undefined ? refused(REASONS[409] ?? '') : { kind: 'other size', size };
  }
  return refused(REASONS[status] ?? `it answered with the status ${status}`);
};

const refused = (why: string): WitnessAnswer => ({ kind: 'refused', why });

const REASONS: Readonly<Record<number, string>> = {
  400: 'it found the request malformed',
  403: 'it knows the log, and not the key that signed the checkpoint',
  404: 'it does not know the log',
  409: 'it has another tree of this size: the log has two histories',
  422: 'the proof does not lead from what it has to this checkpoint: if it was made for the size it has, the log has two histories',
};

const cosignature = (body: string, checkpoint: Note, witness: Vkey): WitnessAnswer => {
  const lines = parseSignatures(body);
  if (E.isLeft(lines)) return refused(`its answer cannot be read: ${lines.left}`);
  const answered = { text: checkpoint.text, signatures: lines.right };
  const signatures = claimedBy(answered, witness);
  if (signatures.length === 0) return refused('its answer has no cosignature by its key');
  const at = cosignedAt(answered, witness);
  return at === undefined ? refused('its cosignature does not verify') : { kind: 'cosigned', at, signatures };
};
