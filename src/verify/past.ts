import * as E from 'fp-ts/lib/Either.js';
import type { SignedCheckpoint } from '../proof/checkpoint.js';
import { judge } from '../proof/judgement.js';
import type { Policy } from '../proof/policy.js';
import type { Roots } from './comparison.js';
import type { Damage } from './damage.js';

/** What an older checkpoint is held against: what the log was signed for, and its roots at the sizes that were asked about. */
export interface Present {
  readonly signed: SignedCheckpoint | undefined;
  readonly policy: Policy | undefined;
  readonly roots: ReadonlyMap<number, Roots>;
}

type Past = { readonly damage: Damage } | { readonly name: string; readonly size: number };

/** Does the log begin with what an older checkpoint was signed for? The tree is known to the last leaf, so its root at that size is compared. */
export const pastOf = (name: string, older: E.Either<string, SignedCheckpoint>, present: Present): Past => {
  if (E.isLeft(older)) return { damage: { class: 'checkpoint-malformed', what: `${name}: ${older.left}` } };
  const { signed, policy, roots } = present;
  const { origin, size, root } = older.right.checkpoint;
  const judged = policy === undefined ? undefined : judge(policy, older.right);
  if (judged !== undefined && E.isLeft(judged))
    return { damage: { class: judged.left.kind, what: `${name}: ${judged.left.why}` } };
  if (signed !== undefined && signed.checkpoint.origin !== origin)
    return { damage: { class: 'inconsistent-with-older', what: `${name} is of another log: ${origin}` } };
  const found = roots.get(size);
  if (found === undefined) return { damage: { class: 'rolled-back', what: `${name} was signed for ${size} events` } };
  return signedTrees(present).some((tree) => found[tree].equals(root))
    ? { name, size }
    : { damage: { class: 'inconsistent-with-older', from: 1, to: size, what: `${name} was signed for other events` } };
};

const TREES = ['byEvents', 'byTree'] as const satisfies readonly (keyof Roots)[];

/**
 * The trees that tell the past of a log: those that its own checkpoint was signed for. Tiles that were left as they were would otherwise
 * vouch for events that were rewritten, and signed for again, since. Both, where the checkpoint is of neither.
 */
const signedTrees = ({ signed, roots }: Present): readonly (keyof Roots)[] => {
  if (signed === undefined) return TREES;
  const { size, root } = signed.checkpoint;
  const signedFor = TREES.filter((tree) => roots.get(size)?.[tree].equals(root));
  return signedFor.length === 0 ? TREES : signedFor;
};
