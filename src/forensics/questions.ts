import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { DataOf } from '../../events/index.js';
import { type Codec, closed, integer, listOf, text } from '../codec.js';
import type { Refusal } from '../errors.js';
import type { Damage } from '../ledger/damage.js';
import { limits } from '../limits.js';
import { blastRadius } from './blast-radius.js';
import { diff } from './diff.js';
import { erasable } from './erasable.js';
import type { Evidence } from './evidence.js';
import { incident } from './incident.js';
import type { BlastRadius } from './radius.js';
import { rejudge } from './rejudge.js';
import { type Found, search } from './search.js';
import { stale } from './stale.js';
import { devicesAt, statusAt } from './state.js';
import { who } from './who.js';
import { why } from './why.js';

/* Every question that can be asked, by name: what it takes, how it is answered, and what of it is put on the record. */

/** What is recorded of a question beside its name. Personal data that was asked about is not. */
export type About = Omit<DataOf<'log.read'>, 'question' | 'upTo'>;

export interface Question {
  // biome-ignore lint/suspicious/noExplicitAny: each question has its own params, which its codec has checked.
  readonly params: Codec<any>;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly ask: (params: any, evidence: Evidence) => Either<Refusal, unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly about: (params: any, answer: any) => About;
}

const question = <P, A>(
  params: Codec<P>,
  ask: (params: P, evidence: Evidence) => Either<Refusal, A>,
  about: (params: P, answer: A) => About = () => ({}),
): Question => ({ params, ask, about });

/**
 * What was typed may be anything, a name or even a credential: what is recorded is what was found, or what can be nothing but an id.
 */
const idIn = (said: string | undefined, form: RegExp): string | undefined =>
  said !== undefined && form.test(said) ? said : undefined;

const DEVICE = /^[0-9a-f]{64}$/;
const FINGERPRINT = /^[0-9a-f]{16}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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
    (_, { device, requestId: request }) =>
      request === undefined ? { device: device.id } : { device: device.id, request },
  ),
  why: question(
    id,
    (params, evidence) => why(params.id, evidence),
    (_, answer) => (answer.is === 'address' ? { address: true } : { connection: answer.connection }),
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
      device: idIn(device, DEVICE),
      credential: idIn(credential, FINGERPRINT),
      connection: idIn(connection, UUID),
      request: idIn(request, UUID),
      address: address === undefined ? undefined : true,
      event: type,
      from: after,
    }),
  ),
  devices: question(closed({ at: said }, {}), ({ at }, evidence) => devicesAt(at, evidence)),
  status: question(closed({ at: said }, {}), ({ at }, evidence) => statusAt(at, evidence)),
  diff: question(closed({ from: said, to: said }, {}), ({ from, to }, evidence) => diff(from, to, evidence)),
  credential: question(leak, blastRadius, (_, { credential, device }) => ({ credential, device })),
  incident: question(id, (params, evidence) => incident(params.id, evidence)),
  rejudge: question(closed({}, { rules: text(limits.wire.preauthFrameBytes) }), ({ rules }, evidence) =>
    rejudge(rules, evidence),
  ),
  erasable: question(
    closed({ subject: said }, {}),
    ({ subject }, evidence) => erasable(subject, evidence),
    (_, { subject: { of, ...named } }) => (of === 'address' ? { address: true } : named),
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

/** An answer on its way out: encoded where it was found, so that whoever passes it on need not look into it. */
export interface Told {
  readonly question: QuestionName;
  readonly upTo: number;
  /** What of it is put on the record. */
  readonly about: About;
  /** The last event that it told of, or, where it told of all there were, looked at. */
  readonly reached: number;
  /** `Answered`, but for the brace that ends it. */
  readonly json: string;
}

export const told = (answered: Answered, params: unknown): Told => {
  const { question: name, upTo, answer } = answered;
  const { events, more } = answer as Partial<Found>;
  return {
    question: name,
    upTo,
    about: (questions[name] as Question).about(params, answer),
    reached: more === true ? (events?.at(-1)?.seq ?? upTo) : upTo,
    json: JSON.stringify(answered).slice(0, -1),
  };
};

const placed = (damage: Damage): Answered['damaged'][number] =>
  'seq' in damage
    ? { from: damage.seq, to: damage.seq, what: damage.what }
    : { from: damage.from, to: damage.to, what: `archive segment ${damage.segment}: ${damage.what}` };

export type CredentialAnswer = Answered<BlastRadius>;
