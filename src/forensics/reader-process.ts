import * as E from 'fp-ts/lib/Either.js';
import { isDamage } from '../ledger/damage.js';
import { Store } from '../ledger/store.js';
import type { Asked, Replied } from './desk.js';
import { evidenceIn } from './evidence.js';
import { answerTo, told } from './questions.js';

/*
 * Answers questions in a process of its own, on the log in the folder that is named: whatever a question costs, the gateway's loop does not
 * feel it, and a page of the log that kills LMDB kills this process and not the gateway. It opens the log to read, and never writes.
 */

const [, , path = ''] = process.argv;
let store: Store | undefined;

const reply = ({ id, question, params, setting, now }: Asked): Replied => {
  try {
    store ??= new Store({ path, readOnly: true });
    const answered = answerTo(question, params, evidenceIn(store, now, setting));
    return E.isRight(answered) ? { id, told: told(answered.right, params) } : { id, refused: answered.left };
  } catch (error) {
    return { id, failed: (error as Error).message, damaged: isDamage(error) };
  }
};

process.on('message', (asked: Asked) => process.send?.(reply(asked)));
process.on('disconnect', () => process.exit());
/* Ctrl-C in the terminal of the gateway goes to all of its processes; the gateway says when it is over. */
process.on('SIGINT', () => {});
