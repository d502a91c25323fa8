import * as E from 'fp-ts/lib/Either.js';
import { type Fact, subjectOf } from '../../../events/index.js';
import { actorOf, originOf, type Principal } from '../../decisions/principal.js';
import type { Refusal } from '../../errors.js';
import type { Told } from '../../forensics/questions.js';
import type { Call } from './method.js';

/* Whoever reads the evidence is in it: each answer to a person is itself an event. */

/** What was asked, about what, and up to which event it was answered. */
type Read = Pick<Told, 'upTo' | 'about'> & { readonly question: string };

export const readFact = ({ question, upTo, about }: Read, by: Principal): Fact => {
  const known = Object.entries(about).filter(([, value]) => value !== undefined);
  return {
    type: 'log.read',
    subject: subjectOf.gateway,
    actor: actorOf(by),
    data: { question, upTo, ...Object.fromEntries(known) },
    origin: originOf(by),
  };
};

/**
 * Puts a reading on the record: the event that says so. Undefined where nothing can be recorded any more: that is when evidence is needed
 * most, so it is read all the same, and a line says that nobody will know.
 */
export const recorded = async (
  read: Read,
  { by, parts: { ledger, log } }: Call,
): Promise<E.Either<Refusal, number | undefined>> => {
  const outcome = await ledger.decide({
    decide: () => E.right([readFact(read, by)]),
    answer: ([event]) => event?.seq,
  });
  if (E.isRight(outcome) || outcome.left.code !== 'log-not-writable') return outcome;
  log.gateway.warn(`the log is not writable: it is not on the record that ${read.question} was asked`);
  return E.right(undefined);
};
