import * as E from 'fp-ts/lib/Either.js';
import { type Fact, subjectOf } from '../../../events/index.js';
import { actorOf, originOf, type Principal } from '../../decisions/principal.js';
import { type Answered, type Question, type QuestionName, questions } from '../../forensics/questions.js';
import type { Session } from '../session.js';
import { answer, type Call, type Family, later, type Reply, refuse } from './method.js';

/*
 * Questions to the log, for whoever may read the evidence. Each answer to a person is itself an event: who asked what, answered up to where.
 * Reading on from an answer, page by page, is the same reading and no other event.
 */

/** What a session has asked before, by the event that recorded it: what it may read on from. */
const readings = new WeakMap<Session, Map<number, string>>();

/** The same question, wherever it goes on. */
const keyOf = (
  name: QuestionName,
  { after: _, limit: __, reading: ___, ...params }: Readonly<Record<string, unknown>>,
): string => JSON.stringify([name, params]);

const asked = (name: QuestionName, params: Readonly<Record<string, unknown>>, call: Call): Reply =>
  later(answered(name, params, call));

const answered = async (
  name: QuestionName,
  { reading, ...params }: Readonly<Record<string, unknown>>,
  { session, by, parts }: Call,
): Promise<Reply> => {
  const outcome = await parts.desk.ask(name, params);
  if (E.isLeft(outcome)) return refuse(outcome.left);
  const key = keyOf(name, params);
  if (typeof reading === 'number' && readings.get(session)?.get(reading) === key)
    return answer({ ...outcome.right, reading });
  /* Evidence can be read where nothing can be recorded any more: that is when it is needed most. */
  const recorded = await parts.ledger.decide({
    decide: () => E.right([readFact(name, params, outcome.right, by)]),
    answer: ([event]) => event?.seq,
  });
  if (E.isLeft(recorded) && recorded.left.code !== 'log-not-writable') return refuse(recorded.left);
  if (E.isLeft(recorded)) {
    parts.log.gateway.warn(`the log is not writable: it is not on the record that ${name} was asked`);
    return answer({ ...outcome.right, reading: null });
  }
  if (recorded.right !== undefined) remember(session, recorded.right, key);
  return answer({ ...outcome.right, reading: recorded.right });
};

const READINGS_KEPT = 16;

const remember = (session: Session, seq: number, key: string): void => {
  const known = readings.get(session) ?? new Map<number, string>();
  readings.set(session, known.set(seq, key));
  const [oldest] = known.keys();
  if (known.size > READINGS_KEPT && oldest !== undefined) known.delete(oldest);
};

export const readFact = (name: QuestionName, params: unknown, found: Answered, by: Principal): Fact => {
  const about = (questions[name] as Question).about(params, found.answer);
  const known = Object.entries(about).filter(([, value]) => value !== undefined);
  return {
    type: 'log.read',
    subject: subjectOf.gateway,
    actor: actorOf(by),
    data: { question: name, upTo: found.upTo, ...Object.fromEntries(known) },
    origin: originOf(by),
  };
};

/** audit.who, audit.why, and so on: a method for each question. */
export const audit: Family = Object.fromEntries(
  Object.entries(questions).map(([name, { params }]) => [
    `audit.${name}`,
    { params, run: (given: Readonly<Record<string, unknown>>, call: Call) => asked(name as QuestionName, given, call) },
  ]),
);
