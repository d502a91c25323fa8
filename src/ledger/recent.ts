import { type ViewName, viewNames } from '../../projections/index.js';
import { limits } from '../limits.js';
import { LedgerDamaged } from './damage.js';
import type { ViewChanges } from './draft.js';
import type { StoredRows } from './stored-rows.js';

/*
 * What commits have changed in the views of late. Each view is a database, and each that a commit touches costs pages all over the file. So
 * the rows that change are put down one after another in a database of their own, and go to those of the views many at a time. Whoever
 * reads lays them over what the views have, so that nobody can tell. A row: view, tab, key, tab, and the text or nothing if it was dropped.
 * Views are only folds: where these rows are damaged, a start makes the views anew.
 */

/** Says where events are that the log holds no longer, so it is readable where these rows are not: what changes it goes to the views at once. */
export const NEVER_RECENT: ViewName = 'archives';

/** Rows by the number of their change, from the first that is not in the views. */
interface Lines {
  getRange(range: object): Iterable<{ readonly key: number; readonly value: string }>;
  clearSync(): void;
  putSync(number: number, line: string): unknown;
}

/** The row that says which of them count. */
interface Mark {
  get(): Buffer | undefined;
  put(mark: Buffer): void;
}

const NUMBER_BYTES = 6;

/** Numbers of the last change that is in the views, and of the last one. */
interface Extent {
  readonly settled: number;
  readonly last: number;
}

const NOTHING: Extent = { settled: 0, last: 0 };

const extentIn = (mark: Buffer): Extent => {
  if (mark.length !== 2 * NUMBER_BYTES) throw damaged();
  return { settled: mark.readUIntBE(0, NUMBER_BYTES), last: mark.readUIntBE(NUMBER_BYTES, NUMBER_BYTES) };
};

const markOf = ({ settled, last }: Extent): Buffer => {
  const mark = Buffer.allocUnsafe(2 * NUMBER_BYTES);
  mark.writeUIntBE(settled, 0, NUMBER_BYTES);
  mark.writeUIntBE(last, NUMBER_BYTES, NUMBER_BYTES);
  return mark;
};

const damaged = (): LedgerDamaged =>
  new LedgerDamaged(
    'the newest rows of its views cannot be read: a start makes the views anew from the log',
    undefined,
  );

export class Recent {
  private known: Extent | undefined;

  /** `alone`: nobody else writes. */
  constructor(
    private readonly lines: Lines,
    private readonly mark: Mark,
    private readonly rows: () => {
      readonly [V in ViewName]: Pick<StoredRows<unknown>, 'clear' | 'lay' | 'settle' | 'settled' | 'stores' | 'write'>;
    },
    private readonly alone: boolean,
  ) {}

  /** Lays over the views what belongs to the snapshot that is read. Throws LedgerDamaged. */
  readonly refresh = (): void => {
    if (this.known === undefined || !this.alone) this.lay(this.extent());
  };

  /** Within the transaction of a commit. What it returns is to be called when that is on the disk. */
  write(changes: readonly ViewChanges[]): () => void {
    if (changes.length === 0) return () => {};
    const anew = changes.length === viewNames.length && changes.every(({ cleared }) => cleared);
    if (!anew) this.refresh();
    /* Anew it may be that what is there cannot be read. */
    const { settled, last } = this.known ?? NOTHING;
    const upTo = last + changes.reduce((count, { rows }) => count + rows.size, 0);
    const atOnce = changes.some(({ cleared, view }) => cleared || view === NEVER_RECENT);
    if (atOnce || upTo - settled > limits.ledger.recentRows) return this.settle(changes, upTo);
    const rows = this.rows();
    const laid: (readonly [ViewName, string, string, boolean])[] = [];
    let number = last;
    for (const { view, rows: changed } of changes) {
      for (const [key, text] of changed) {
        this.lines.putSync(++number, `${view}\t${key}\t${text ?? ''}`);
        laid.push([view, key, text ?? '', rows[view].stores(key)]);
      }
    }
    this.mark.put(markOf({ settled, last: upTo }));
    return () => {
      if (settled === last) this.clear();
      for (const [view, key, text, stored] of laid) rows[view].lay(key, text, stored);
      this.known = { settled, last: upTo };
    };
  }

  /** Is anything not in the views yet? */
  get some(): boolean {
    this.refresh();
    return this.known !== undefined && this.known.last > this.known.settled;
  }

  /** Brings all of it into the views, with what changes now. */
  settle(changes: readonly ViewChanges[] = [], upTo = this.known?.last ?? 0): () => void {
    const rows = this.rows();
    for (const view of viewNames) rows[view].settle();
    for (const change of changes) rows[change.view].write(change);
    this.lines.clearSync();
    this.mark.put(markOf({ settled: upTo, last: upTo }));
    return () => {
      for (const view of viewNames) rows[view].settled(changes.find((change) => change.view === view));
      this.known = { settled: upTo, last: upTo };
    };
  }

  private lay(extent: Extent): void {
    const { known } = this;
    if (known?.settled === extent.settled && known.last === extent.last) return;
    const rows = this.rows();
    const goesOn = known?.settled === extent.settled && known.last < extent.last;
    if (!goesOn) this.clear();
    this.known = undefined;
    let last = goesOn ? known.last : extent.settled;
    for (const { key, value } of this.lines.getRange({ start: last + 1, end: extent.last + 1 })) {
      const first = value.indexOf('\t');
      const second = value.lastIndexOf('\t');
      const view = value.slice(0, first);
      if (key !== ++last || first === second || !isView(view)) throw damaged();
      const row = value.slice(first + 1, second);
      rows[view].lay(row, value.slice(second + 1), rows[view].stores(row));
    }
    if (last !== extent.last) throw damaged();
    this.known = extent;
  }

  private clear(): void {
    for (const view of viewNames) this.rows()[view].clear();
  }

  private extent(): Extent {
    const mark = this.mark.get();
    if (mark !== undefined) return extentIn(mark);
    for (const _ of this.lines.getRange({ limit: 1 })) throw damaged();
    return NOTHING;
  }
}

const isView = (name: string): name is ViewName => (viewNames as readonly string[]).includes(name);
