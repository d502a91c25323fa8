import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import ipaddr from 'ipaddr.js';
import JSON5 from 'json5';
import { closed, decode, flag, listOf, oneOf, type TypeOf, text, textThat } from '../codec.js';
import { type Refusal, refusal } from '../errors.js';
import { durationOf, timeOf } from './moments.js';

/*
 * Rules to judge past approvals by: today's, and beside them patterns of approvals that ought not to have been, as an advisory describes them.
 */

const network = textThat(
  (said) => ipaddr.isValid(said) || ipaddr.isValidCIDR(said),
  'must be an IP address or a network such as 10.0.0.0/8',
);
const time = textThat((said) => E.isRight(timeOf(said, 0)), 'must be a time such as 2026-03-14T09:12:00Z');
const duration = textThat((said) => E.isRight(durationOf(said)), 'must be a length of time such as 2s');
const texts = listOf(text());

/** An approval that fits all that is given is refused. */
const Pattern = closed(
  { name: text() },
  {
    after: time,
    before: time,
    /** Named rules under which it was approved: `operator`, `host-proof`, `host`, `local-client`. */
    rules: texts,
    /** How the approver had proved itself. */
    methods: texts,
    approvers: texts,
    /** The approver did not hold this scope. */
    approverLacks: text(),
    roles: listOf(oneOf(['operator', 'node'])),
    /** It granted one of these. */
    scopes: texts,
    /** Where the request came from. */
    from: listOf(network),
    /** The yes came sooner after the request than this. */
    fasterThan: duration,
  },
);
export type Pattern = TypeOf<typeof Pattern>;

const Rules = closed(
  {},
  {
    /** May a rule approve programs of this host? As `gateway.pairing.autoApproveLocal`. */
    autoApproveLocal: flag,
    refuse: listOf(Pattern),
  },
);
export type JudgingRules = TypeOf<typeof Rules>;

/** Reads a file of rules, JSON5. */
export const rulesIn = (content: string): Either<Refusal, JudgingRules> => {
  let parsed: unknown;
  try {
    parsed = JSON5.parse(content);
  } catch (error) {
    const { lineNumber, columnNumber } = error as { lineNumber?: number; columnNumber?: number };
    return E.left(refusal('bad-rules', `the rules are not JSON5: line ${lineNumber}, column ${columnNumber}`));
  }
  const rules = decode(Rules, parsed);
  if (E.isRight(rules)) return E.right(rules.right);
  return E.left(
    refusal(
      'bad-rules',
      `the rules do not fit: ${rules.left.map(({ path, rule }) => `${path.join('.') || 'the file'}: ${rule}`).join('; ')}`,
    ),
  );
};
