import * as E from 'fp-ts/lib/Either.js';
import type { Archived, Archiver } from '../ledger/archiver.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

export interface RetentionOptions {
  readonly clock: Clock;
  readonly archiver: Archiver;
  /** Age at which ticks and connections are moved; undefined: never. */
  readonly archiveAfterMs: number | undefined;
  readonly done: (archived: Archived) => void;
  /** It could not be done; it is tried again the next day. */
  readonly failed: (error: unknown) => void;
}

/** Once a day what is old and of little value goes to the archive. While a hold is in force, or the log is not writable, nothing does. */
export const beginRetention = ({ clock, archiver, archiveAfterMs, done, failed }: RetentionOptions): (() => void) => {
  if (archiveAfterMs === undefined) return () => {};
  let busy = false;
  const run = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const by = { kind: 'gateway', rule: 'retention' } as const;
      const outcome = await archiver.run({ before: clock.now() - archiveAfterMs, by });
      if (E.isRight(outcome) && outcome.right.events > 0) done(outcome.right);
    } catch (error) {
      failed(error);
    } finally {
      busy = false;
    }
  };
  const stops = [
    clock.after(limits.archive.firstRunMs, () => void run()),
    clock.every(limits.archive.everyMs, () => void run()),
  ];
  return () => {
    for (const stop of stops) stop();
  };
};
