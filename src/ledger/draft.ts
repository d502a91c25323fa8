import type { Event } from '../../events/index.js';
import {
  type Change,
  projections,
  type Rows,
  type ViewName,
  type ViewRows,
  type Views,
  viewNames,
} from '../../projections/index.js';

/*
 * The views as they will be once the events of a batch are committed: the stored rows with the changes so far laid over them.
 * Rows are held as the text that will be stored and parsed anew at each read, so that a row that was just made and one that
 * was read back from the disk can never differ, not even in the order of their fields.
 */

const noRows: Rows<never> = { get: () => undefined, entries: () => [], size: () => 0 };

/** Undoes one change. */
type Undo = () => void;

class DraftRows<R> implements Rows<R> {
  readonly changed = new Map<string, string | null>();
  cleared = false;

  constructor(
    private readonly base: Rows<R>,
    private readonly journal: Undo[],
    private readonly heard: (change: Change<R>) => void,
  ) {}

  get(key: string): R | undefined {
    const text = this.changed.get(key);
    if (text !== undefined) return text === null ? undefined : (JSON.parse(text) as R);
    return this.cleared ? undefined : this.base.get(key);
  }

  *entries(prefix = ''): Iterable<readonly [string, R]> {
    const stored = this.cleared ? [] : [...this.base.entries(prefix)].filter(([key]) => !this.changed.has(key));
    const drafted: (readonly [string, R])[] = [];
    for (const [key, text] of this.changed) {
      if (text !== null && key.startsWith(prefix)) drafted.push([key, JSON.parse(text) as R]);
    }
    yield* drafted.length === 0 ? stored : [...stored, ...drafted].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  size(): number {
    let size = this.cleared ? 0 : this.base.size();
    for (const [key, text] of this.changed) {
      const was = !this.cleared && this.base.get(key) !== undefined;
      size += (text === null ? 0 : 1) - (was ? 1 : 0);
    }
    return size;
  }

  /** The row in the stored form, of those that were changed. */
  text(key: string): string | undefined {
    return this.changed.get(key) ?? undefined;
  }

  *texts(): Iterable<readonly [string, string]> {
    for (const [key, text] of this.changed) if (text !== null) yield [key, text];
  }

  change(change: Change<R>): void {
    this.heard(change);
    if ('clear' in change) {
      const before = { changed: new Map(this.changed), cleared: this.cleared };
      this.changed.clear();
      this.cleared = true;
      this.journal.push(() => {
        this.cleared = before.cleared;
        for (const [key, text] of before.changed) this.changed.set(key, text);
      });
      return;
    }
    const key = 'put' in change ? change.put : change.drop;
    const before = this.changed.get(key);
    if ('put' in change) this.changed.set(key, JSON.stringify(change.row));
    else if (this.cleared || this.base === noRows) this.changed.delete(key);
    else this.changed.set(key, null);
    this.journal.push(() => (before === undefined ? this.changed.delete(key) : this.changed.set(key, before)));
  }
}

type DraftViews = { readonly [V in ViewName]: DraftRows<ViewRows[V]> };

/** What a batch does to one view: rows to write and to drop, in the stored form. */
export interface ViewChanges {
  readonly view: ViewName;
  readonly cleared: boolean;
  readonly rows: ReadonlyMap<string, string | null>;
}

export class Draft {
  private readonly journal: Undo[] = [];
  private readonly rows: DraftViews;

  /** `heard` is told of each change. */
  constructor(base: Views, heard: (view: ViewName, change: Change<unknown>) => void = () => {}) {
    const rows = viewNames.map((view) => [
      view,
      new DraftRows(base[view] as Rows<unknown>, this.journal, (change) => heard(view, change)),
    ]);
    this.rows = Object.fromEntries(rows) as DraftViews;
  }

  get views(): Views {
    return this.rows;
  }

  /** Folds one event into every view. */
  fold(event: Event): void {
    for (const view of viewNames) this.foldInto(view, event);
  }

  private foldInto<V extends ViewName>(view: V, event: Event): void {
    const rows: DraftRows<ViewRows[V]> = this.rows[view];
    for (const change of projections[view].apply(event, rows)) rows.change(change);
  }

  /** Runs one piece of work; if it throws, nothing of it stays. */
  attempt<T>(work: () => T): T {
    this.journal.length = 0;
    try {
      return work();
    } catch (error) {
      for (const undo of this.journal.reverse()) undo();
      throw error;
    }
  }

  /* Of a draft that began with nothing: all of its rows in the stored form. */

  size(view: ViewName): number {
    return this.rows[view].changed.size;
  }

  text(view: ViewName, key: string): string | undefined {
    return this.rows[view].text(key);
  }

  texts(view: ViewName): Iterable<readonly [string, string]> {
    return this.rows[view].texts();
  }

  changes(): readonly ViewChanges[] {
    return viewNames
      .map((view) => ({ view, cleared: this.rows[view].cleared, rows: this.rows[view].changed }))
      .filter(({ cleared, rows }) => cleared || rows.size > 0);
  }
}

/** Views before the first event. */
export const emptyViews = Object.fromEntries(viewNames.map((view) => [view, noRows])) as unknown as Views;
