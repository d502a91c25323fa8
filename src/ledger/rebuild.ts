import { projections, type Views, viewNames } from '../../projections/index.js';
import { LedgerDamaged } from './damage.js';
import { Draft, emptyViews } from './draft.js';
import { History, viewsAt } from './history.js';
import type { Position } from './position.js';
import type { Reader } from './reader.js';
import type { Store } from './store.js';

/** Version of the form in which the views of earlier moments are kept. */
const HISTORY_VERSION = 1;

/** Versions of the folds this program knows. */
export const foldVersions = (): Position['views'] => ({
  ...Object.fromEntries(viewNames.map((view) => [view, projections[view].version])),
  history: HISTORY_VERSION,
});

/** Folds that this program makes differently from those that are stored. */
export const outdated = ({ views }: Position): readonly string[] => {
  const known = foldVersions();
  return Object.keys(known).filter((view) => known[view] !== views[view]);
};

/** The views as they are, and as they were after an event. */
export interface Pictures {
  readonly views: Views;
  readonly viewsAt: (seq: number) => Views;
}

/** For whoever only reads: where an older version wrote them they are made from the log, in memory and each time. */
export const picturesOf = (store: Store, reader: Reader): Pictures => {
  const position = store.position();
  if (position === undefined || outdated(position).length === 0)
    return { views: store.views, viewsAt: (seq) => viewsAt(store, reader, seq) };
  const replayed = (seq: number): Views => {
    const draft = new Draft(emptyViews);
    replay(draft, reader.byLogAlone, 0, seq);
    return draft.views;
  };
  return { views: replayed(position.seq), viewsAt: replayed };
};

/** Folds the events after `after` into a draft; what it returns is the number of the last. */
const replay = (
  draft: Draft,
  reader: Reader,
  after: number,
  upTo: number,
  folded = (_: number): void => {},
): number => {
  let last = after;
  for (const event of reader.range({ after, upTo })) {
    draft.attempt(() => draft.fold(event));
    last = event.seq;
    folded(last);
  }
  return last;
};

/**
 * Drops every view and makes it anew from the log, in one transaction: old or new, never a mix. What they were at earlier moments is
 * kept on the way; where that is cut short, it goes on from the last moment that was kept. Returns the events read.
 */
export const rebuild = (store: Store, reader: Reader): number => {
  const position = store.exclusively(() => store.position());
  if (position === undefined) return 0;
  const history = History.anew(store);
  const draft = new Draft(emptyViews, (view, change) => history.hear(view, change));
  const keep = (seq: number, atLeast?: number): void => {
    const due = history.due(seq, atLeast, draft);
    if (due === undefined) return;
    store.commit({ events: [], changes: [], position, history: due });
    history.written(due);
  };
  const last = replay(draft, reader.byLogAlone, 0, position.seq, keep);
  if (last !== position.seq) throw new LedgerDamaged(`it stands at ${position.seq}, and its log ends at ${last}`, last);
  keep(position.seq, 1);
  const rows = new Map(draft.changes().map((change) => [change.view, change.rows]));
  const changes = viewNames.map((view) => ({ view, cleared: true, rows: rows.get(view) ?? new Map() }));
  store.commit({ events: [], changes, position: { ...position, views: foldVersions() } });
  return position.seq;
};

/** A row that is not what the log makes of it. */
export interface Difference {
  readonly view: string;
  readonly key: string;
  readonly is: 'missing' | 'extra' | 'different';
}

export interface Check {
  readonly events: number;
  readonly rows: number;
  readonly differences: readonly Difference[];
}

/**
 * Compares every row of every view, byte for byte, with what the log makes of it. The log may grow meanwhile: most of it is
 * replayed without holding a snapshot, only the last stretch and the comparison happen within one.
 */
export const check = (store: Store, reader: Reader): Check => {
  const draft = new Draft(emptyViews);
  const log = reader.byLogAlone;
  const bulk = replay(draft, log, 0, log.position);
  return store.atOnce(() => {
    const events = replay(draft, log, bulk, log.position);
    return { events, ...compare(store, draft) };
  });
};

const compare = (store: Store, draft: Draft): Pick<Check, 'rows' | 'differences'> => {
  const made = new Map(draft.changes().map((change) => [change.view, change.rows]));
  const differences: Difference[] = [];
  let rows = 0;
  for (const view of viewNames) {
    const expected = new Map([...(made.get(view) ?? [])].filter(([, text]) => text !== null));
    for (const [key, text] of store.texts(view)) {
      rows++;
      if (!expected.has(key)) differences.push({ view, key, is: 'extra' });
      else if (expected.get(key) !== text) differences.push({ view, key, is: 'different' });
      expected.delete(key);
    }
    for (const key of expected.keys()) differences.push({ view, key, is: 'missing' });
  }
  return { rows, differences };
};
