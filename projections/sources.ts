import { type Projection, put, unchanged } from './projection.js';

/** A source that guessed too often, per kind of credential. */
export interface LockedSource {
  readonly until: number;
  readonly seq: number;
}

export const sourceKey = (scope: string, source: string): string => `${scope}/${source}`;

/** Lock-outs, so that a restart does not end them. */
export const sources: Projection<LockedSource> = {
  name: 'sources',
  version: 1,
  apply: (event, rows) => {
    if (event.type !== 'source.locked') return unchanged;
    const over = [...rows.entries()].filter(([, row]) => row.until <= event.at).map(([key]) => ({ drop: key }));
    return [...over, put(sourceKey(event.data.scope, event.data.source), { until: event.data.until, seq: event.seq })];
  },
};
