import * as E from 'fp-ts/lib/Either.js';
import { refusal } from '../../errors.js';
import { type QuestionName, questions, type Told } from '../../forensics/questions.js';
import { Encoded } from '../../protocol/frames.js';
import type { Session } from '../session.js';
import { answer, type Call, type Family, later, type Reply, refuse } from './method.js';
import { recorded } from './reading.js';

/*
 * Questions to the log, for whoever may read the evidence. Each answer to a person is itself an event: who asked what, answered up to where.
 * Reading on from an answer, page by page, is the same reading and no other event.
 */

/** Where a reading stands: the question, and the last event that was answered. It goes forward from there and nowhere else. */
interface Reading {
  readonly key: string;
  readonly upTo: number;
}

/** What a session has asked before, by the event that recorded it. */
const readings = new WeakMap<Session, Map<number, Reading>>();

/** Sessions whose question is being answered: each has one at a time, so that nobody asks all readers away from the others. */
const asking = new WeakSet<Session>();

/** The same question, wherever it goes on. */
const keyOf = (
  name: QuestionName,
  { after: _, limit: __, reading: ___, ...params }: Readonly<Record<string, unknown>>,
): string => JSON.stringify([name, params]);

const asked = (name: QuestionName, params: Readonly<Record<string, unknown>>, call: Call): Reply => {
  const { session } = call;
  if (asking.has(session))
    return refuse(refusal('evidence-busy', 'one question at a time: this session waits for an answer'));
  asking.add(session);
  return later(answered(name, params, call).finally(() => asking.delete(session)));
};

const answered = async (
  name: QuestionName,
  { reading, ...params }: Readonly<Record<string, unknown>>,
  call: Call,
): Promise<Reply> => {
  const { session, parts } = call;
  const outcome = await parts.desk.ask(name, params);
  if (E.isLeft(outcome)) return refuse(outcome.left);
  const key = keyOf(name, params);
  const standing = typeof reading === 'number' ? readings.get(session)?.get(reading) : undefined;
  const { after } = params;
  if (standing?.key === key && typeof after === 'number' && after >= standing.upTo) {
    remember(session, Number(reading), { key, upTo: outcome.right.reached });
    return answer(encoded(outcome.right, { reading }));
  }
  const event = await recorded(outcome.right, call);
  if (E.isLeft(event)) return refuse(event.left);
  if (event.right !== undefined) remember(session, event.right, { key, upTo: outcome.right.reached });
  return answer(encoded(outcome.right, { reading: event.right ?? null }));
};

const READINGS_KEPT = 16;

/** The answer with more beside it. */
export const encoded = ({ json }: Told, more: object): Encoded =>
  new Encoded(`${json},${JSON.stringify(more).slice(1)}`);

const remember = (session: Session, seq: number, reading: Reading): void => {
  const known = readings.get(session) ?? new Map<number, Reading>();
  readings.set(session, known.set(seq, reading));
  const [oldest] = known.keys();
  if (known.size > READINGS_KEPT && oldest !== undefined) known.delete(oldest);
};

/** audit.who, audit.why, and so on: a method for each question. */
export const audit: Family = Object.fromEntries(
  Object.entries(questions).map(([name, { params }]) => [
    `audit.${name}`,
    { params, run: (given: Readonly<Record<string, unknown>>, call: Call) => asked(name as QuestionName, given, call) },
  ]),
);
