import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { SignedCheckpoint } from './checkpoint.js';
import { cosignedAt } from './cosignature.js';
import { claimedBy, signedBy, type Vkey } from './note.js';
import type { Policy, Quorum } from './policy.js';

/** What a policy says of a checkpoint. */
export interface Judgement {
  /** The key of the log that signed it. */
  readonly log: Vkey;
  /** The witnesses of the policy that cosigned it, and when (milliseconds since the epoch). */
  readonly cosigned: readonly { readonly witness: string; readonly at: number }[];
  /** Since when the quorum is met; undefined where the policy asks for none. */
  readonly since?: number;
}

/** Why a policy does not accept a checkpoint. */
export interface Objection {
  readonly step: 'log signature' | 'cosignatures';
  readonly why: string;
}

/**
 * The checkpoint may come from anybody; the policy is that of whoever checks. A signature that claims to be by a key of the policy and
 * does not verify spoils the checkpoint, even one that the quorum could do without: signed-note would have the whole note refused.
 * Cosignatures from the future are believed, as there is no clock here.
 */
export const judge = (policy: Policy, { note, checkpoint }: SignedCheckpoint): Either<Objection, Judgement> => {
  const ofOrigin = policy.logs.filter(({ vkey }) => vkey.name === checkpoint.origin);
  if (ofOrigin.length === 0) return objection('log signature', 'the policy names no log of this origin');
  const claimed = ofOrigin.filter(({ vkey }) => claimedBy(note, vkey).length > 0);
  const [log] = claimed;
  if (log === undefined) return objection('log signature', 'signed by no key that the policy has for this log');
  if (!claimed.every(({ vkey }) => signedBy(note, vkey)))
    return objection('log signature', 'the signature of the log does not verify');

  const cosigned: { witness: string; at: number }[] = [];
  for (const { name, vkey } of policy.witnesses) {
    if (claimedBy(note, vkey).length === 0) continue;
    const at = cosignedAt(note, vkey);
    if (at === undefined) return objection('cosignatures', `the cosignature of ${name} does not verify`);
    cosigned.push({ witness: name, at });
  }
  const since = metSince(policy.quorum, new Map(cosigned.map(({ witness, at }) => [witness, at])));
  if (since === Number.POSITIVE_INFINITY)
    return objection(
      'cosignatures',
      `the quorum is not met: ${quorumText(policy.quorum)}; cosigned by ${listed(cosigned)}`,
    );
  return E.right({ log: log.vkey, cosigned, ...(Number.isFinite(since) && { since }) });
};

const objection = (step: Objection['step'], why: string): Either<Objection, never> => E.left({ step, why });

/** When whoever is needed had cosigned: a group has with the k-th of its members. Infinity is never; minus infinity, always. */
const metSince = (quorum: Quorum, times: ReadonlyMap<string, number>): number => {
  if (quorum.kind === 'none') return Number.NEGATIVE_INFINITY;
  if (quorum.kind === 'witness') return times.get(quorum.name) ?? Number.POSITIVE_INFINITY;
  const members = quorum.members.map((member) => metSince(member, times)).sort((a, b) => a - b);
  return members[quorum.needed - 1] ?? Number.POSITIVE_INFINITY;
};

const quorumText = (quorum: Quorum): string =>
  quorum.kind === 'none'
    ? 'none'
    : quorum.kind === 'witness'
      ? quorum.name
      : `${quorum.name} (${quorum.needed} of ${quorum.members.map(quorumText).join(', ')})`;

const listed = (cosigned: readonly { readonly witness: string }[]): string =>
  cosigned.map(({ witness }) => witness).join(', ') || 'nobody';
