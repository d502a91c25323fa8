import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { exit } from '../errors.js';
import { evidenceIn } from '../forensics/evidence.js';
import { type Answered, answerTo, type QuestionName, questions } from '../forensics/questions.js';
import { isDamage } from '../ledger/damage.js';
import { Store } from '../ledger/store.js';
import { systemClock } from '../runtime.js';
import { call } from './call.js';
import { CallRefused } from './client.js';
import { Exit, tell } from './output.js';
import { fittingParams } from './params.js';
import { type ReachOptions, settingsFromHere } from './reach.js';

/** Where a question is asked: of a gateway, or of a copy of a log. */
export interface AskOptions extends ReachOptions {
  /** A folder with a copy of a log: it is read, and never written. */
  readonly log?: string | undefined;
}

/** Asks the gateway, or its log while it is down, and then it is on the record; or a copy, of which nobody keeps a record. */
export const ask = async <A>(question: QuestionName, params: object, options: AskOptions): Promise<Answered<A>> => {
  const answered = (await (options.log === undefined
    ? askHere(question, params, options)
    : askFolder(question, params, options.log))) as Answered<A>;
  noteDamage(answered);
  return answered;
};

const askHere = async (question: QuestionName, params: object, options: ReachOptions): Promise<unknown> => {
  try {
    return await call(`audit.${question}`, params, options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    tell(`${(error as Error).message}. Answered from what is good; that it was asked is not on the record.`);
    return askFolder(question, params, settingsFromHere().paths.ledger);
  }
};

/** The log in a folder, which may be a state folder. */
export const ledgerIn = (folder: string): string => {
  const path = existsSync(join(folder, 'ledger')) ? join(folder, 'ledger') : folder;
  if (!Store.exists(path)) throw new Exit(exit.refused, [`there is no log in ${folder}`]);
  return path;
};

/** Asks the log in a folder itself. */
export const askFolder = async (question: QuestionName, params: object, folder: string): Promise<unknown> => {
  const path = ledgerIn(folder);
  const fitting = fittingParams(`audit.${question}`, questions[question].params, params);
  const store = new Store({ path, readOnly: true });
  try {
    const { rules } = settingsFromHere();
    const setting = { autoApproveLocal: rules.localClient };
    const answered = answerTo(question, fitting, evidenceIn(store, systemClock.now(), setting));
    if (E.isRight(answered)) return JSON.parse(JSON.stringify(answered.right)) as unknown;
    const { code, message, details = {} } = answered.left;
    throw new CallRefused(question, { code, message, details });
  } finally {
    await store.close();
  }
};

/** Puts it on the record of a gateway that is down that its log is read from here on. */
export const recordOffline = async (search: object, options: ReachOptions): Promise<void> => {
  try {
    await call('audit.log', { ...search, limit: 1 }, options);
  } catch (error) {
    if (!isDamage(error)) throw error;
    tell(`${(error as Error).message}. What is good is read; that it was read is not on the record.`);
  }
};

const NAMED = 5;

export const noteDamage = ({ damaged, upTo }: Pick<Answered, 'damaged' | 'upTo'>): void => {
  if (damaged.length === 0) return;
  const named = damaged
    .slice(0, NAMED)
    .map(({ from, to, what }) => `${from === to ? `event ${from}` : `events among ${from} to ${to}`} (${what})`);
  const more = damaged.length > NAMED ? ` and ${damaged.length - NAMED} more` : '';
  tell(
    `The log is damaged: ${named.join(', ')}${more} cannot be read. The answer is what the rest says, up to event ${upTo}.`,
  );
};
