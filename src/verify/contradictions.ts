import type { SignedCheckpoint } from '../proof/checkpoint.js';
import type { Comparison, Difference, Differences, Rest } from './comparison.js';
import type { Contents } from './contents.js';
import type { Damage } from './damage.js';
import { leafDamage } from './leaves.js';
import type { Source } from './source.js';

/**
 * Where events, tree and checkpoint do not agree, the checkpoint says which of them is right: it is signed. What is behind the checkpoint
 * only has the root that the log says it has.
 */
export const contradictions = (
  source: Source,
  signed: SignedCheckpoint | undefined,
  comparison: Comparison,
): readonly Damage[] => {
  const covered = signed?.checkpoint.size ?? 0;
  const signedFor = comparison.between(1, covered);
  const behind = comparison.between(covered + 1, source.size);
  const found: Damage[] = [];
  if (signed !== undefined) {
    const { size, root } = signed.checkpoint;
    if (size > source.size) {
      found.push({ class: 'truncated-tail', from: source.size + 1, to: size, what: `${size} events were signed for` });
      /* With its tail the root is gone that would say who is right: all that differs is told. */
      found.push(...leafDamage(comparison.between(1, source.size), source.size));
    } else found.push(...against(root, size, signedFor, comparison, source));
  }
  const stored = source.root === undefined ? undefined : Buffer.from(source.root, 'hex');
  if (source.size > covered && stored !== undefined) {
    const told = found.some(({ class: kind }) => kind === 'root-mismatch' || kind.startsWith('leaf-'));
    found.push(
      ...against(stored, source.size, behind, comparison, source).filter(
        (one) => !told || one.class !== 'root-mismatch',
      ),
    );
  } else found.push(...leafDamage(behind, source.size));
  return found;
};

/** Who is right about these differences, by the root of the first `size` events. */
const against = (
  root: Buffer,
  size: number,
  differences: Differences,
  { roots, unknown }: Comparison,
  source: Source,
): readonly Damage[] => {
  const { byEvents, byTree } = roots.get(size) ?? {};
  const { told, rest } = differences;
  if (byEvents?.equals(root)) {
    const gone = {
      told: told.filter(({ actual }) => actual === undefined),
      rest: rest?.gone === true ? rest : undefined,
    };
    const others = told.filter(({ actual }) => actual !== undefined);
    return [...leafDamage(gone, source.size), ...tileDamage(others, rest?.gone === false ? rest : undefined)];
  }
  const leaves = leafDamage(differences, source.size);
  if (byTree?.equals(root) || unknown > 0) return leaves;
  return [
    ...leaves,
    { class: 'root-mismatch', from: 1, to: size, what: 'neither they nor the tree give the root that was signed' },
  ];
};

/** The events are right: it is their hashes in the tree that are not. */
const tileDamage = (differences: readonly Difference[], rest: Rest | undefined): readonly Damage[] => {
  const runs: { from: number; to: number }[] = [];
  for (const { seq } of differences) {
    const last = runs.at(-1);
    if (last?.to === seq - 1) last.to = seq;
    else runs.push({ from: seq, to: seq });
  }
  const others = { class: 'tile-mismatch', what: 'its hash in the tree is another' } as const;
  return [...runs, ...(rest === undefined ? [] : [rest])].map(({ from, to }) => ({ ...others, from, to }));
};

/** An event that is not what was recorded says nothing about its place. */
export const invalid = ({ damage }: Contents, { told }: Differences): readonly Damage[] => {
  const known = new Set(told.map(({ seq }) => seq));
  return damage.filter(({ class: kind, from }) => kind !== 'event-invalid' || from === undefined || !known.has(from));
};
