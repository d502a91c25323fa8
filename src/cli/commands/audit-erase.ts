import { exit, remedyOf } from '../../errors.js';
import type { Erasable } from '../../forensics/erasable.js';
import type { Answered } from '../../forensics/questions.js';
import { counted, event } from '../../forensics/words.js';
import { noteDamage } from '../ask.js';
import { call } from '../call.js';
import { Exit, json, say, tell } from '../output.js';
import type { ReachOptions } from '../reach.js';

/* openclaw audit erase: personal data go from beside the log, and the log says so. */

export interface EraseOptions {
  readonly subject: string;
  readonly reason: string;
  readonly dryRun: boolean;
}

type Done = Erasable &
  Pick<Answered, 'upTo' | 'damaged'> & {
    readonly erased: readonly number[];
    readonly left: number;
    readonly stopped?: { readonly code: Parameters<typeof remedyOf>[0]; readonly message: string };
  };

export const erase = async (wanted: EraseOptions, options: ReachOptions, asJson: boolean): Promise<void> => {
  const done = (await call('audit.erase', wanted, options)) as Done;
  if (asJson) json(done);
  else show(done, wanted.dryRun);
  noteDamage(done);
  const { stopped, left } = done;
  if (stopped !== undefined)
    throw new Exit(exit.refused, [`${stopped.message}; ${counted(left, 'event')} left`, remedyOf(stopped.code)]);
};

const show = (done: Done, dryRun: boolean): void => {
  const { events, erased, left } = done;
  if (events === 0) return say('Nothing to erase: no event of it holds personal data');
  const because = erased.length === 0 ? '' : ` ${erased.map(event).join(' ')}`;
  say(
    `${dryRun ? 'Would erase' : 'Erased'} the personal data of ${counted(dryRun ? events : events - left, 'event')}${because}`,
  );
  if (left === 0 || dryRun) for (const line of typeLines(done)) say(line);
  if (!dryRun) tell('Not erased: text logs, backups, exports and other copies (docs/audit.md, "Erasure").');
};

const typeLines = ({ types }: Erasable): readonly string[] =>
  types.map(({ type, events, holds }) => {
    const fields = Object.entries(holds).map(([field, count]) => (count === events ? field : `${field} (${count})`));
    return `  ${type.padEnd(20)} ${String(events).padStart(6)}  ${fields.join(', ')}`;
  });
