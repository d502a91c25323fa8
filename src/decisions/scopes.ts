import type { Role } from '../../events/index.js';

/* Scope arithmetic (protocol.md §6.7). Scopes nobody knows are carried, and grant nothing. */

export const ADMIN = 'operator.admin';
export const PAIRING = 'operator.pairing';
export const READ = 'operator.read';
export const WRITE = 'operator.write';
export const APPROVALS = 'operator.approvals';
/** Ours: to read the evidence, and nothing else. */
export const AUDIT = 'operator.audit';

/** What the owner of the host holds. */
export const ALL_OPERATOR = [ADMIN, READ, WRITE, APPROVALS, PAIRING] as const;

const OPERATOR = 'operator.';

/** Does one held scope carry the asked one? `operator.admin` carries every operator scope, `operator.write` carries reading. */
const carries = (role: Role, held: string, asked: string): boolean =>
  held === asked ||
  (role === 'operator' &&
    ((held === ADMIN && asked.startsWith(OPERATOR)) ||
      (held === WRITE && (asked === READ || asked.startsWith('operator.talk')))));

export const covers = (role: Role, held: readonly string[], asked: string): boolean =>
  held.some((scope) => carries(role, scope, asked));

export const coversAll = (role: Role, held: readonly string[], asked: readonly string[]): boolean =>
  asked.every((scope) => covers(role, held, scope));

/**
 * What of the asked scopes the granted ones allow: the intersection of the two closures, in the order of asking.
 * Asked admin, granted read → read.
 */
export const inCommon = (role: Role, asked: readonly string[], granted: readonly string[]): readonly string[] => {
  const allowed = asked.filter((scope) => covers(role, granted, scope));
  const lesser = granted.filter((scope) => covers(role, asked, scope) && !covers(role, allowed, scope));
  return [...allowed, ...lesser];
};

/** Trimmed, without blanks and repetitions, in the order of asking. */
export const normalised = (scopes: readonly string[]): readonly string[] => [
  ...new Set(scopes.map((scope) => scope.trim()).filter((scope) => scope !== '')),
];

export const union = <T extends string>(before: readonly T[], more: readonly T[]): readonly T[] => [
  ...new Set([...before, ...more]),
];

/** Tokens keep their scopes sorted. */
export const sorted = (scopes: readonly string[]): readonly string[] => [...scopes].sort();

/** Scopes that none of these roles can use: an operator scope is only for operators. */
export const outsideRoles = (roles: readonly Role[], scopes: readonly string[]): readonly string[] =>
  roles.includes('operator') ? [] : scopes.filter((scope) => scope.startsWith(OPERATOR));
