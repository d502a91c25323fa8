import { type Change, type Rows, type ViewName, type Views, viewNames } from '../../projections/index.js';
import { limits } from '../limits.js';
import { SegmentUnreadable } from './damage.js';
import { Draft, emptyViews, type ViewChanges } from './draft.js';
import type { Reader } from './reader.js';
import type { HistoryEntries, Store } from './store.js';

/*
 * The views as they were. Replaying a long log takes seconds, so every so many events the rows that changed since the time before are
 * kept as a frame of their view; when such changes add up to more than the view holds, the frame is the whole view. What a view
 * was is its last whole frame with the later ones laid over it, and then the events since.
 *
 * A frame: the line `whole` or `changes`, then a line for each row: key, tab, row; no row if it was dropped.
 */

/** A frame of one view, in the stored form, with the number of its rows. */
export interface Frame {
  readonly view: ViewName;
  readonly whole: boolean;
  readonly rows: number;
  readonly text: string;
}

/** Where rows are read in the stored form. */
interface Texts {
  size(view: ViewName): number;
  text(view: ViewName, key: string): string | undefined;
  texts(view: ViewName): Iterable<readonly [key: string, text: string]>;
}

interface Touched {
  /** All rows may be others. */
  whole: boolean;
  readonly keys: Set<string>;
  /** Rows in frames since the last whole one. */
  since: number;
}

/** Takes note of what changes, and says what is to be kept of it. */
export class History {
  private readonly touched: ReadonlyMap<ViewName, Touched>;
  private anew = false;

  /** `kept`: the last moment at which the views were kept. */
  private constructor(
    private kept: number,
    private readonly store: Store,
  ) {
    this.touched = new Map(viewNames.map((view) => [view, { whole: false, keys: new Set(), since: 0 }]));
  }

  /** Goes on where the log was left: what changed after the last moment that was kept is found by replay. */
  static after(store: Store, reader: Reader, position: number): History {
    const kept = store.momentBefore(position) ?? 0;
    const history = new History(kept, store);
    for (const [view, touched] of history.touched) touched.since = rowsSinceWhole(store, view, kept);
    const draft = new Draft(viewsKeptAt(store, kept), (view, change) => history.hear(view, change));
    try {
      for (const event of reader.range({ after: kept, upTo: position })) draft.attempt(() => draft.fold(event));
    } catch (error) {
      if (!(error instanceof SegmentUnreadable)) throw error;
      history.hearAnything();
    }
    return history;
  }

  /** From the first event on; what was kept before goes when the first moment is kept. */
  static anew(store: Store): History {
    const history = new History(0, store);
    history.anew = true;
    return history;
  }

  hear(view: ViewName, change: Change<unknown>): void {
    const touched = this.touched.get(view);
    if (touched === undefined) return;
    if ('clear' in change) {
      touched.whole = true;
      touched.keys.clear();
    } else if (!touched.whole) touched.keys.add('put' in change ? change.put : change.drop);
  }

  /** What changed cannot be told: all of it is kept the next time. */
  private hearAnything(): void {
    for (const view of this.touched.keys()) this.hear(view, { clear: true });
  }

  /** A batch that was committed. */
  note(changes: readonly ViewChanges[]): void {
    for (const { view, cleared, rows } of changes) {
      if (cleared) this.hear(view, { clear: true });
      for (const key of rows.keys()) this.hear(view, { drop: key });
    }
  }

  /** What to keep of the views, which stand at `position`, if at least so many events have passed. */
  due(
    position: number,
    atLeast: number = limits.ledger.historyEvents,
    views: Texts = this.store,
  ): HistoryEntries | undefined {
    if (position - this.kept < Math.max(1, atLeast)) return undefined;
    const frames: Frame[] = [];
    for (const [view, touched] of this.touched) {
      if (!touched.whole && touched.keys.size === 0) continue;
      const whole = touched.whole || touched.since + touched.keys.size >= views.size(view);
      frames.push(whole ? wholeFrame(view, views) : changesFrame(view, touched.keys, views));
    }
    return { at: position, frames, ...(this.anew ? { anew: true } : {}) };
  }

  /** They are on the disk. */
  written({ at, frames }: HistoryEntries): void {
    this.kept = at;
    this.anew = false;
    for (const { view, whole, rows } of frames) {
      const touched = this.touched.get(view);
      if (touched === undefined) continue;
      touched.since = whole ? 0 : touched.since + rows;
      touched.whole = false;
      touched.keys.clear();
    }
  }
}

const WHOLE = 'whole';
const CHANGES = 'changes';

const wholeFrame = (view: ViewName, views: Texts): Frame => {
  const lines = [WHOLE];
  for (const [key, text] of views.texts(view)) lines.push(`${key}\t${text}`);
  return { view, whole: true, rows: lines.length - 1, text: lines.join('\n') };
};

const changesFrame = (view: ViewName, keys: ReadonlySet<string>, views: Texts): Frame => {
  const lines = [CHANGES];
  for (const key of keys) lines.push(`${key}\t${views.text(view, key) ?? ''}`);
  return { view, whole: false, rows: keys.size, text: lines.join('\n') };
};

/** Frames of a view that make it up at a moment: the last whole one, if there is one, and those after it, latest first. */
const framesAt = (store: Store, view: ViewName, at: number): readonly string[] => {
  const frames: string[] = [];
  for (const text of store.framesBefore(view, at)) {
    frames.push(text);
    if (text.startsWith(WHOLE)) break;
  }
  return frames;
};

const rowsSinceWhole = (store: Store, view: ViewName, at: number): number =>
  framesAt(store, view, at)
    .filter((text) => text.startsWith(CHANGES))
    .reduce((rows, text) => rows + text.split('\n').length - 1, 0);

/** The rows of a view as frames make them. */
class KeptRows<R> implements Rows<R> {
  private readonly rows = new Map<string, string>();
  private sorted: readonly string[] | undefined;

  constructor(frames: readonly string[]) {
    for (const frame of [...frames].reverse()) {
      for (const line of frame.split('\n').slice(1)) {
        const tab = line.indexOf('\t');
        const key = line.slice(0, tab);
        if (tab === line.length - 1) this.rows.delete(key);
        else this.rows.set(key, line.slice(tab + 1));
      }
    }
  }

  get(key: string): R | undefined {
    const text = this.rows.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as R);
  }

  *entries(prefix = ''): Iterable<readonly [string, R]> {
    this.sorted ??= [...this.rows.keys()].sort();
    for (const key of this.sorted) if (key.startsWith(prefix)) yield [key, JSON.parse(this.rows.get(key) ?? '') as R];
  }

  size(): number {
    return this.rows.size;
  }
}

/** Each view is read when it is first looked at. */
const viewsKeptAt = (store: Store, at: number): Views => {
  if (at === 0) return emptyViews;
  const read = new Map<ViewName, Rows<unknown>>();
  const rowsOf = (view: ViewName): Rows<unknown> => {
    const rows = read.get(view) ?? new KeptRows(framesAt(store, view, at));
    read.set(view, rows);
    return rows;
  };
  const rows = viewNames.map((view): [ViewName, Rows<unknown>] => [
    view,
    {
      get: (key) => rowsOf(view).get(key),
      entries: (prefix) => rowsOf(view).entries(prefix),
      size: () => rowsOf(view).size(),
    },
  ]);
  return Object.fromEntries(rows) as unknown as Views;
};

/** The views when event `seq` was the last one: as they were kept before it, and what has been since by replay. */
export const viewsAt = (store: Store, reader: Reader, seq: number): Views => {
  const kept = store.momentBefore(seq) ?? 0;
  const draft = new Draft(viewsKeptAt(store, kept));
  for (const event of reader.range({ after: kept, upTo: seq })) draft.attempt(() => draft.fold(event));
  return draft.views;
};
