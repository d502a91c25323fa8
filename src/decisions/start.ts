import * as E from 'fp-ts/lib/Either.js';
import { type DataOf, type Fact, subjectOf } from '../../events/index.js';
import { type Credential, GATEWAY, type Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import { expireRun } from './exec-approval.js';

export interface Start {
  readonly started: DataOf<'gateway.started'>;
  /** Where the shared secret comes from. */
  readonly source?: string | undefined;
}

const ACTOR = { kind: 'gateway', rule: 'start' } as const;

/** The gateway begins to serve; if its secret is not the one of before, that one has ended. With a secret that leaked it does not begin. */
export const start = (
  views: Pick<Views, 'gateway' | 'credentials' | 'invocations' | 'approvals'>,
  { started, source = 'none' }: Start,
): Decided => {
  const { secret } = started;
  const known = secret === undefined ? undefined : views.credentials.get(secret);
  if (isLeaked(known)) return E.left(refusal('secret-leaked', leakedSecret(source, started.authMode, known.leaked)));
  const before = views.gateway.get(GATEWAY);
  const from = before?.secret?.credential;
  const begun: Fact = {
    type: 'gateway.started',
    subject: subjectOf.gateway,
    actor: ACTOR,
    cause: before?.boot?.seq,
    data: started,
  };
  const facts = [...cutShort(views), begun];
  if (secret === undefined || secret === from) return E.right(facts);
  return E.right([
    ...facts,
    {
      type: 'gateway.secret-rotated',
      subject: subjectOf.gateway,
      actor: ACTOR,
      cause: 'previous',
      data: { from, to: secret, source },
    },
  ]);
};

/** What nodes were told before the gateway ended without a word: what came of it, nobody here will know. */
const cutShort = (views: Pick<Views, 'invocations' | 'approvals'>): readonly Fact[] => [
  ...[...views.approvals.entries()].flatMap(([approval]) => expireRun(views, approval, 'gateway-ended')),
  ...[...views.invocations.entries()].map(
    ([invocation, { device, seq }]): Fact => ({
      type: 'node.invoke-finished',
      subject: subjectOf.device(device),
      actor: ACTOR,
      cause: seq,
      data: { invocation, device, outcome: 'gateway-ended' },
    }),
  ),
];

const isLeaked = (known: Credential | undefined): known is Credential & { readonly kind: 'secret' } =>
  known?.kind === 'secret' && known.leaked !== undefined;

const leakedSecret = (source: string, mode: string, event: number | undefined): string => {
  const instead =
    mode === 'token' ? 'set another there, or none to use the one that was made in its place' : 'set another there';
  return `the gateway secret in ${source} was given up because it leaked (event ${event}), and is not accepted again: ${instead}`;
};
