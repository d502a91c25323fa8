import { type DataOf, type Fact, subjectOf } from '../../events/index.js';
import type { GatewayRow } from '../../projections/index.js';

export interface Start {
  readonly started: DataOf<'gateway.started'>;
  /** Where the shared secret comes from. */
  readonly source?: string | undefined;
}

const ACTOR = { kind: 'gateway', rule: 'start' } as const;

/** The gateway begins to serve; if its secret is not the one of before, that one has ended. */
export const start = (before: GatewayRow | undefined, { started, source = 'none' }: Start): readonly Fact[] => {
  const { secret } = started;
  const from = before?.secret?.credential;
  const begun: Fact = {
    type: 'gateway.started',
    subject: subjectOf.gateway,
    actor: ACTOR,
    cause: before?.boot?.seq,
    data: started,
  };
  if (secret === undefined || secret === from) return [begun];
  return [
    begun,
    {
      type: 'gateway.secret-rotated',
      subject: subjectOf.gateway,
      actor: ACTOR,
      cause: 'previous',
      data: { from, to: secret, source },
    },
  ];
};
