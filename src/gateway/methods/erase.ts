import * as E from 'fp-ts/lib/Either.js';
import { numbersIn } from '../../../events/index.js';
import { anyText, closed, flag, text } from '../../codec.js';
import { erase as decide } from '../../decisions/erase.js';
import type { Refusal } from '../../errors.js';
import type { Erasable } from '../../forensics/erasable.js';
import type { Answered } from '../../forensics/questions.js';
import { limits } from '../../limits.js';
import { plain } from '../../text.js';
import { answer, type Call, commit, type Family, later, method, type Reply, refuse } from './method.js';
import { readFact } from './reading.js';

/* Personal data go, for admins: they are looked for where any question is answered, and go commit by commit. */

const params = closed(
  { subject: text(limits.claims.textChars), reason: anyText(limits.claims.textChars) },
  { dryRun: flag },
);

interface Asked {
  readonly subject: string;
  readonly reason: string;
  readonly dryRun?: boolean | undefined;
}

/** Events that could not be read: what lies beside them is there still. */
type Looked = Pick<Answered, 'upTo' | 'damaged'>;

/** What came of it. */
interface Done extends Erasable, Looked {
  /** The events that say so. */
  readonly erased: readonly number[];
  /** Events of which they are there still, and why. */
  readonly left: number;
  readonly stopped?: Refusal | undefined;
}

export const erase: Family = {
  'audit.erase': method(params, (asked, call) => later(erased(asked, call))),
};

const erased = async ({ subject, reason, dryRun }: Asked, call: Call): Promise<Reply> => {
  const { parts, by } = call;
  const outcome = await parts.desk.ask('erasable', { subject });
  if (E.isLeft(outcome)) return refuse(outcome.left);
  const told = outcome.right;
  const { answer: erasable, upTo, damaged } = JSON.parse(`${told.json}}`) as Answered<Erasable>;
  const found = { ...erasable, upTo, damaged };
  const nothing: Done = { ...found, erased: [], left: found.events };
  if (dryRun === true) return commit({ decide: () => E.right([readFact(told, by)]), answer: () => nothing });
  const done = await allOf(found, plain(reason, limits.claims.reasonChars), call);
  return done.stopped !== undefined && done.erased.length === 0 ? refuse(done.stopped) : answer(done);
};

/** One commit after another, each caused by the first, with others between. What a refusal stops stays stopped: what is done is done. */
const allOf = async (
  found: Erasable & Looked,
  reason: string | undefined,
  { session, by, parts }: Call,
): Promise<Done> => {
  const { ledger } = parts;
  const osUser = ledger.originOf(session.seq)?.osUser;
  const numbers = [...numbersIn(found.numbers)];
  const said: number[] = [];
  for (let from = 0; from < numbers.length; ) {
    const events = ledger.erasedAtOnce(numbers.slice(from, from + limits.erasure.events));
    const command = { subject: found.subject, events, reason, by, osUser, first: said[0] };
    const outcome = await ledger.decide({
      decide: (views, _, originOf) => decide(views, command, originOf),
      answer: ([event]) => event?.seq,
    });
    if (E.isLeft(outcome)) return { ...found, erased: said, left: numbers.length - from, stopped: outcome.left };
    if (outcome.right !== undefined) said.push(outcome.right);
    from += events.length;
    /* What to write next is looked up in a turn of its own. */
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { ...found, erased: said, left: 0 };
};
