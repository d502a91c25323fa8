import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { DataOf } from '../../events/index.js';
import { type Codec, closed, integer, listOf, text } from '../codec.js';
import type { Refusal } from '../errors.js';
import type { Damage } from '../ledger/damage.js';
import { limits } from '../limits.js';
import { blastRadius } from './blast-radius.js';
import { diff } from './diff.js';
import type { Evidence } from './evidence.js';
import { incident } from './incident.js';
import type { BlastRadius } from './radius.js';
import { rejudge } from './rejudge.js';
import { search } from './search.js';
import { stale } from './stale.js';
import { devicesAt, statusAt } from './state.js';
import { who } from './who.js';
import { why } from './why.js';

/* Every question that can be asked, by name: what it takes, how it is answered, and what of it is put on the record. */

/** What is recorded of a question beside its name. Personal data that was asked about is not. */
type About = Omit<DataOf<'log.read'>, 'question' | 'upTo'>;

export interface Question {
  // biome-ignore lint/suspicious/noExplicitAny: each question has its own params, which its codec has checked.
  readonly params: Codec<any>;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly ask: (params: any, evidence: Evidence) => Either<Refusal, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly about: (params: any) => About;
}

const question = <P, A>(
  params: Codec<P>,
  ask: (params: P, evidence: Evidence) => Either<Refusal, A>,
  about: (params: P) => About = () => ({}),
): Question => ({ params, ask, about });

const said = text(limits.claims.textChars);
const id = closed({ id: said }, {});
/** A credential, or a device with all it holds. */
const leak = closed(
  {},
  { credential: said, device: said, since: said, until: said, keep: listOf(said, limits.claims.caps) },
);

export const questions = {
  who: question(
    id,
    (params, evidence) => who(params.id, evidence),
    ({ id: device }) => ({ device }),
  ),
  why: question(
    id,
    (params, evidence) => why(params.id, evidence),
    ({ id: asked }) => (/[.:]/.test(asked) ? { address: true } : { connection: asked }),
  ),
  log: question(
    closed(
      {},
      {
        device: said,
        actor: said,
        credential: said,
        connection: said,
        request: said,
        address: said,
        type: said,
        since: said,
        until: said,
        after: integer(0),
        limit: integer(1, limits.forensics.page),
        /** The event of an earlier answer to the same question, which this goes on from. */
        reading: integer(1),
      },
    ),
    search,
    ({ device, credential, connection, request, address, type, after }) => ({
      device,
      credential,
      connection,
      request,
      address: address === undefined ? undefined : true,
      event: type,
      from: after,
    }),
  ),
  devices: question(closed({ at: said }, {}), ({ at }, evidence) => devicesAt(at, evidence)),
  status: question(closed({ at: said }, {}), ({ at }, evidence) => statusAt(at, evidence)),
  diff: question(closed({ from: said, to: said }, {}), ({ from, to }, evidence) => diff(from, to, evidence)),
  credential: question(leak, blastRadius, ({ credential, device }) => ({ credential, device })),
  incident: question(id, (params, evidence) => incident(params.id, evidence)),
  rejudge: question(closed({}, { rules: text(limits.wire.preauthFrameBytes) }), ({ rules }, evidence) =>
    rejudge(rules, evidence),
  ),
  stale: question(closed({ notSeen: said }, {}), ({ notSeen }, evidence) => stale(notSeen, evidence)),
} satisfies Record<string, Question>;

export type QuestionName = keyof typeof questions;

/** An answer, and how far it can be relied on. */
export interface Answered<A = unknown> {
  /** Of this form; another number if fields change their meaning. */
  readonly version: 1;
  readonly question: QuestionName;
  /** The last event that was taken into account. */
  readonly upTo: number;
  /** Events, from one to another, that could not be read: the answer may lack what they say. */
  readonly damaged: readonly { readonly from: number; readonly to: number; readonly what: string }[];
  readonly answer: A;
}

export const answerTo = (name: QuestionName, params: unknown, evidence: Evidence): Either<Refusal, Answered> =>
  E.map((answer: unknown) => ({
    version: 1 as const,
    question: name,
    upTo: evidence.upTo,
    damaged: evidence.damaged.map(placed),
    answer,
  }))((questions[name] as Question).ask(params, evidence));

const placed = (damage: Damage): Answered['damaged'][number] =>
  'seq' in damage
    ? { from: damage.seq, to: damage.seq, what: damage.what }
    : { from: damage.from, to: damage.to, what: `archive segment ${damage.segment}: ${damage.what}` };

export type CredentialAnswer = Answered<BlastRadius>;
