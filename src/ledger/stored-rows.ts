import { LRUCache } from 'lru-cache';
import type { Rows } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { ViewChanges } from './draft.js';

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

/** The rows of one view in the store. */
export class StoredRows<R> implements Rows<R> {
  /** Rows as they were parsed last. Only this process writes, and says what it wrote. */
  private readonly parsed: LRUCache<string, R & object> | undefined;

  constructor(
    private readonly db: TextDatabase,
    remember: boolean,
  ) {
    this.parsed = remember ? new LRUCache({ max: limits.ledger.rowsRemembered }) : undefined;
  }

  get(key: string): R | undefined {
    const known = this.parsed?.get(key);
    if (known !== undefined) return known;
    const text = this.db.get(key);
    if (text === undefined) return undefined;
    const row = JSON.parse(text) as R & object;
    this.parsed?.set(key, row);
    return row;
  }

  /** These rows are others now. */
  forget({ cleared, rows }: ViewChanges): void {
    if (cleared) this.parsed?.clear();
    else for (const key of rows.keys()) this.parsed?.delete(key);
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
