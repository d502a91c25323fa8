import type { Rows } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { ViewChanges } from './draft.js';
import { Remembered } from './remembered.js';

/** The named database of a view: its rows as text. */
export interface TextDatabase {
  get(key: string): string | undefined;
  getRange(range: object): Iterable<{ readonly key: string; readonly value: string }>;
  getStats(): unknown;
  clearSync(): void;
  putSync(key: string, text: string): unknown;
  removeSync(key: string): unknown;
}

export const entryCount = (db: { getStats(): unknown }): number => (db.getStats() as { entryCount: number }).entryCount;

/** That there is no such row. No row is an empty text. */
const NONE = '';

/** The rows of one view in the store. */
export class StoredRows<R> implements Rows<R> {
  /** Rows that were read: parsed, or as the text that was written since. Only this process writes, and says what it wrote. */
  private readonly known: Remembered<(R & object) | string> | undefined;

  constructor(
    private readonly db: TextDatabase,
    remember: boolean,
  ) {
    this.known = remember ? new Remembered(limits.ledger.rowsRemembered) : undefined;
  }

  get(key: string): R | undefined {
    const known = this.known?.get(key);
    if (typeof known === 'object') return known;
    const text = known ?? this.db.get(key) ?? NONE;
    const row = text === NONE ? undefined : (JSON.parse(text) as R & object);
    this.known?.set(key, row ?? NONE);
    return row;
  }

  /** These rows are others now, and on the disk. They are remembered even if nobody has read them: the next who does may see them as they were before. */
  written({ cleared, rows }: ViewChanges): void {
    if (cleared) this.known?.clear();
    else for (const [key, text] of rows) this.known?.set(key, text ?? NONE);
  }

  *entries(prefix = ''): Iterable<readonly [string, R]> {
    const range = prefix === '' ? {} : { start: prefix, end: `${prefix}\uffff` };
    for (const { key, value } of this.db.getRange(range)) yield [key, JSON.parse(value) as R];
  }

  text(key: string): string | undefined {
    return this.db.get(key);
  }

  *texts(): Iterable<readonly [string, string]> {
    for (const { key, value } of this.db.getRange({})) yield [key, value];
  }

  size(): number {
    return entryCount(this.db);
  }

  write({ cleared, rows }: ViewChanges): void {
    if (cleared) this.db.clearSync();
    for (const [key, text] of rows) {
      if (text === null) this.db.removeSync(key);
      else this.db.putSync(key, text);
    }
  }
}
