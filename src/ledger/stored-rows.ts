import type { Rows } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { ViewChanges } from './draft.js';
import { Remembered } from './remembered.js';

/** The named database of a view: its rows as text. */
export interface TextDatabase {
  get(key: string): string | undefined;
  doesExist(key: string): boolean;
  getRange(range: object): Iterable<{ readonly key: string; readonly value: string }>;
  getStats(): unknown;
  clearSync(): void;
  putSync(key: string, text: string): unknown;
  removeSync(key: string): unknown;
}

export const entryCount = (db: { getStats(): unknown }): number => (db.getStats() as { entryCount: number }).entryCount;

/** That there is no such row. No row is an empty text. */
const NONE = '';

/** A row that is newer than the database of its view, as text or none. */
interface Newer {
  readonly text: string;
  /** The database has one of this key. */
  readonly stored: boolean;
}

/** The rows of one view in the store: those of its database, with the newer ones laid over them. */
export class StoredRows<R> implements Rows<R> {
  /** Rows that were read: parsed, or as the text that was written since. Only this process writes, and says what it wrote. */
  private readonly known: Remembered<(R & object) | string> | undefined;
  private readonly newer = new Map<string, Newer>();
  /** How many more rows there are with the newer ones. */
  private more = 0;

  /** `refresh` lays those rows over that belong to what is read now. */
  constructor(
    private readonly db: TextDatabase,
    private readonly refresh: () => void,
    remember: boolean,
  ) {
    this.known = remember ? new Remembered(limits.ledger.rowsRemembered) : undefined;
  }

  get(key: string): R | undefined {
    const known = this.known?.get(key);
    if (typeof known === 'object') return known;
    const text = known ?? this.text(key) ?? NONE;
    const row = text === NONE ? undefined : (JSON.parse(text) as R & object);
    this.known?.set(key, row ?? NONE);
    return row;
  }

  *entries(prefix = ''): Iterable<readonly [string, R]> {
    for (const [key, text] of this.texts(prefix)) yield [key, JSON.parse(text) as R];
  }

  text(key: string): string | undefined {
    this.refresh();
    const newer = this.newer.get(key);
    if (newer === undefined) return this.db.get(key);
    return newer.text === NONE ? undefined : newer.text;
  }

  *texts(prefix = ''): Iterable<readonly [string, string]> {
    this.refresh();
    const range = prefix === '' ? {} : { start: prefix, end: `${prefix}\uffff` };
    const newer = new Map([...this.newer].filter(([key]) => key.startsWith(prefix)));
    const sorted = [...newer.keys()].sort();
    let next = 0;
    const newerUpTo = function* (before?: string): Iterable<readonly [string, string]> {
      for (; next < sorted.length; next++) {
        const key = sorted[next] ?? '';
        if (before !== undefined && key > before) return;
        const text = newer.get(key)?.text ?? NONE;
        if (text !== NONE) yield [key, text];
      }
    };
    for (const { key, value } of this.db.getRange(range)) {
      yield* newerUpTo(key);
      if (!newer.has(key)) yield [key, value];
    }
    yield* newerUpTo();
  }

  size(): number {
    this.refresh();
    return entryCount(this.db) + this.more;
  }

  /** Is there a row in the database? */
  stores(key: string): boolean {
    return this.newer.get(key)?.stored ?? this.db.doesExist(key);
  }

  /** This row is another now; `stored` is what `stores` said within the transaction. */
  lay(key: string, text: string, stored: boolean): void {
    const before = this.newer.get(key);
    const was = before === undefined ? stored : before.text !== NONE;
    this.more += Number(text !== NONE) - Number(was);
    this.newer.set(key, { text, stored });
  }

  /** Writes the newer rows into the database. */
  settle(): void {
    for (const [key, { text }] of this.newer) {
      if (text === NONE) this.db.removeSync(key);
      else this.db.putSync(key, text);
    }
  }

  /** The database has them all, and what changed with them. They stay, as who reads it may see it as it was before. */
  settled(change: ViewChanges | undefined): void {
    if (change?.cleared) this.newer.clear();
    else for (const [key, text] of change?.rows ?? []) this.newer.set(key, { text: text ?? NONE, stored: false });
    for (const [key, { text }] of this.newer) this.newer.set(key, { text, stored: text !== NONE });
    this.more = 0;
  }

  /** No row is newer. */
  clear(): void {
    this.newer.clear();
    this.more = 0;
  }

  write({ cleared, rows }: ViewChanges): void {
    if (cleared) this.db.clearSync();
    for (const [key, text] of rows) {
      if (text === null) this.db.removeSync(key);
      else this.db.putSync(key, text);
    }
  }

  /** These rows are others now, and on the disk. They are remembered even if nobody has read them: the next who does may see them as they were before. */
  written({ cleared, rows }: ViewChanges): void {
    if (cleared) this.known?.clear();
    else for (const [key, text] of rows) this.known?.set(key, text ?? NONE);
  }
}
