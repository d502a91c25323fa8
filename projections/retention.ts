import type { Actor } from '../events/index.js';
import { type Projection, put, unchanged } from './projection.js';

/** While it is in force nothing is moved to the archive. */
export interface Hold {
  /** The event since which it is. */
  readonly seq: number;
  readonly at: number;
  readonly by: Actor;
  readonly reason?: string | undefined;
}

/** How far the archive has come, and whether it may go on: one row. */
export interface RetentionRow {
  /** The last event that was moved; 0 if none was. */
  readonly upTo: number;
  readonly hold?: Hold | undefined;
}

export const RETENTION = 'retention';

export const retention: Projection<RetentionRow> = {
  name: 'retention',
  version: 1,
  apply: (event, rows) => {
    const before = (): RetentionRow => rows.get(RETENTION) ?? { upTo: 0 };
    switch (event.type) {
      case 'log.archived':
        return [put(RETENTION, { ...before(), upTo: event.data.to })];
      case 'log.held': {
        const { seq, at, actor: by, data } = event;
        return [put(RETENTION, { ...before(), hold: { seq, at, by, reason: data.reason } })];
      }
      case 'log.released':
        return [put(RETENTION, { ...before(), hold: undefined })];
      default:
        return unchanged;
    }
  },
};
