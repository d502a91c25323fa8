import { constants, setPriority } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import { isDamage } from '../ledger/damage.js';
import { parsePolicy } from '../proof/policy.js';
import type { Replied, Task } from './apart.js';
import { openLog } from './places.js';
import { verify } from './verify.js';

/* Verifies one log, behind everybody else who wants the processor: a gateway beside it does not feel it. */

const verified = async ({ place, policy, older, views }: Task): Promise<Replied> => {
  const parsed = policy === undefined ? undefined : parsePolicy(policy);
  if (parsed !== undefined && E.isLeft(parsed)) return { refused: parsed.left };
  try {
    const source = await openLog(place);
    try {
      return { report: await verify(source, { policy: parsed?.right, older, views }) };
    } finally {
      await source.close();
    }
  } catch (error) {
    const { name, message } = error as Error;
    if (name === 'NoLog' || name === 'BadArchive') return { refused: message };
    if (isDamage(error)) return { unreadable: message };
    throw error;
  }
};

setPriority(constants.priority.PRIORITY_LOW);
process.once('message', (task: Task) => {
  void verified(task).then((replied) => process.send?.(replied, () => process.disconnect()));
});
