import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, type DatabaseOptions, type Key, open, type RootDatabase } from 'lmdb';
import { type OriginOf, type ViewName, type ViewRows, type Views, viewNames } from '../../projections/index.js';
import { LedgerDamaged } from './damage.js';
import { faultOf } from './datafile.js';
import type { ViewChanges } from './draft.js';
import { type Erasure, saySo } from './erasure.js';
import type { Frame } from './history.js';
import { LastTransaction } from './last-transaction.js';
import { newestRow, withNewest } from './newest.js';
import { Origins } from './origins.js';
import { type Position, positionIn } from './position.js';
import type { Posting } from './postings.js';
import { NEVER_RECENT, Recent } from './recent.js';
import { entryCount, StoredRows } from './stored-rows.js';
import type { StoredTree } from './tree.js';

/* The databases of the ledger in one LMDB environment. The only file that uses lmdb-js; `datafile.ts` looks at the file before it does. */

const DATA_FILE = 'data.mdb';
/** How often in a row a transaction may be set back by others that open the log. */
const MAX_SET_BACKS = 100;
/** Named databases: events, origins, meta, index, history, tree, recent, and one for each view. lmdb-js opens at most 12 unless told. */
const MAX_DATABASES = 64;

export interface Append {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly origin?: Buffer | undefined;
}

export interface Batch {
  readonly events: readonly Append[];
  /** Numbers of events whose bytes a segment of the archive holds now; among the changes is the row that says so. */
  readonly drop?: readonly number[];
  readonly changes: readonly ViewChanges[];
  readonly position: Position;
  /** Personal data that go; among the events is the one that says so. */
  readonly erasure?: Erasure | undefined;
  readonly index?: IndexEntries | undefined;
  readonly history?: HistoryEntries | undefined;
  /** What is new of the Merkle tree. */
  readonly tree?: StoredTree | undefined;
  /** The last signed checkpoint, as a note. */
  readonly checkpoint?: string | undefined;
  /** The checkpoint is in a high-water mark, too. */
  readonly marked?: boolean | undefined;
}

/** Lists of the index, the event up to which it is complete with them, and the salt of its keys. */
export interface IndexEntries {
  readonly postings: Iterable<Posting>;
  readonly upTo: number;
  readonly salt: Buffer;
  /** Everything that was in it before is dropped. */
  readonly anew?: true;
}

/** What the views were when event `at` was the last one, as frames of those that changed since the moment before. */
export interface HistoryEntries {
  readonly at: number;
  readonly frames: readonly Frame[];
  /** Everything that was kept before is dropped. */
  readonly anew?: true;
}

export interface StoreOptions {
  readonly path: string;
  readonly readOnly?: boolean;
}

export class Store {
  readonly path: string;
  readonly views: Views;
  readonly originOf: OriginOf;
  /** What every commit writes lies where the databases are listed, as that page is written anyway. */
  private readonly env: RootDatabase<Buffer, string>;
  private readonly events: Database<Buffer, number>;
  private readonly origins: Database<Buffer, number>;
  private readonly meta: Database<string, string>;
  private readonly index: Database<Buffer, Buffer>;
  private readonly history: Database<string, [string, number]>;
  private readonly tree: Database<Buffer, [number, number]>;
  private readonly people: Origins;
  private readonly last: LastTransaction;
  private pinned = false;
  private moved = false;
  private readonly recent: Recent;
  private readonly rows: { readonly [V in ViewName]: StoredRows<ViewRows[V]> };

  constructor({ path, readOnly = false }: StoreOptions) {
    this.path = path;
    const fault = faultOf(join(path, DATA_FILE));
    if (fault !== undefined) throw new LedgerDamaged(fault, undefined);
    if (!readOnly) mkdirSync(path, { recursive: true, mode: 0o700 });
    this.env = open<Buffer, string>({
      path,
      readOnly,
      maxDbs: MAX_DATABASES,
      /* With overlapping syncs a commit settles before it is on the disk, and then a yes could leave before its event. */
      overlappingSync: false,
      noSubdir: false,
      encoding: 'binary',
    });
    this.last = new LastTransaction(path);
    this.events = this.database('events', { encoding: 'binary' });
    this.origins = this.database('origins', { encoding: 'binary' });
    this.meta = this.database('meta', { encoding: 'string' });
    this.index = this.database('index', { encoding: 'binary', keyEncoding: 'binary' });
    this.history = this.database('history', { encoding: 'string' });
    this.tree = this.database('tree', { encoding: 'binary' });
    this.recent = new Recent(
      this.database('recent', { encoding: 'string' }),
      { get: () => this.env.get(RECENT), put: (mark) => void this.env.putSync(RECENT, mark) },
      () => this.rows,
      !readOnly,
    );
    const rows = viewNames.map((view) => {
      const refresh = view === NEVER_RECENT ? () => {} : this.recent.refresh;
      return [view, new StoredRows(this.database(`view:${view}`, { encoding: 'string' }), refresh, !readOnly)];
    });
    this.rows = Object.fromEntries(rows) as typeof this.rows;
    this.views = this.rows;
    this.people = new Origins((seq) => this.origins.get(seq), !readOnly);
    this.originOf = this.people.of;
    if (!readOnly) for (const file of [DATA_FILE, 'lock.mdb']) chmodSync(join(path, file), 0o600);
  }

  /** A log that an older version wrote may lack one, and who only reads cannot make it: then it is as if it were empty. */
  private database<V, K extends Key>(name: string, options: DatabaseOptions): Database<V, K> {
    return (this.env.openDB<V, K>(name, options) as Database<V, K> | undefined) ?? (EMPTY as Database<V, K>);
  }

  /** Is there a ledger at this path? Opening a folder that has none would make one. */
  static exists(path: string): boolean {
    return existsSync(join(path, DATA_FILE));
  }

  /** Throws LedgerDamaged. */
  position(): Position | undefined {
    const text = this.env.get(POSITION)?.toString() ?? this.meta.get(POSITION);
    return text === undefined ? undefined : positionIn(text);
  }

  /** Writes it all, on the disk when this returns; or throws and nothing of it is there. */
  commit({ events, drop = [], changes, position, erasure, index, history, tree, checkpoint, marked }: Batch): void {
    if (drop.length > 0 && !changes.some(({ view }) => view === 'archives'))
      throw new Error('events may go from the log only with the row that says where they are');
    if (erasure !== undefined && !saySo(erasure.events, events))
      throw new Error('personal data may go only with the event that says so');
    const { number, changed } = this.transaction((number) => {
      const changed = this.recent.write(changes);
      for (const { seq, bytes, origin } of events) {
        this.events.putSync(seq, bytes);
        if (origin !== undefined) this.origins.putSync(seq, origin);
      }
      for (const seq of drop) this.events.removeSync(seq);
      if (erasure !== undefined) this.erase(erasure);
      this.env.putSync(POSITION, Buffer.from(JSON.stringify(position)));
      if (!this.moved) this.meta.removeSync(POSITION);
      if (tree !== undefined) this.writeTree(tree);
      if (checkpoint !== undefined) this.meta.putSync('checkpoint', checkpoint);
      if (marked === true) this.meta.putSync('marked', 'yes');
      if (index !== undefined) this.writeIndex(index);
      if (history !== undefined) this.writeHistory(history);
      return { number, changed };
    });
    this.last.is(number);
    changed();
    this.moved = true;
    for (const change of changes) this.rows[change.view].written(change);
    this.people.forget(erasure?.events ?? []);
  }

  /** A write transaction that begins where the last one ended. */
  private transaction<T>(work: (number: number) => T): T {
    for (let setBacks = 0; setBacks < MAX_SET_BACKS; setBacks++) {
      const done = this.env.transactionSync(() => {
        const number = this.env.getWriteTxnId();
        return this.last.wasSetBack(number) ? undefined : { result: work(number) };
      });
      if (done !== undefined) return done.result;
    }
    throw new Error('others that open the ledger set it back again and again');
  }

  /** Can the views be read? They are only folds, and the log makes them anew. */
  viewsReadable(): boolean {
    try {
      this.recent.refresh();
      return true;
    } catch (error) {
      if (error instanceof LedgerDamaged) return false;
      throw error;
    }
  }

  /** Brings the newest rows of the views into their databases: done with when all is, so that a log at rest has every row in its place. */
  settle(): void {
    const settled = this.transaction((number) =>
      this.recent.some ? { number, changed: this.recent.settle() } : undefined,
    );
    if (settled === undefined) return;
    this.last.is(settled.number);
    settled.changed();
  }

  event(seq: number): Buffer | undefined {
    return this.events.get(seq);
  }

  origin(seq: number): Buffer | undefined {
    return this.origins.get(seq);
  }

  /** Was a checkpoint ever kept in a high-water mark, too? */
  wasMarked(): boolean {
    return this.meta.get('marked') !== undefined;
  }

  /** The last signed checkpoint, as a note. */
  checkpoint(): string | undefined {
    return this.meta.get('checkpoint');
  }

  /** A tile of the Merkle tree: its hashes, as many as it has. */
  tile(level: number, index: number): Buffer | undefined {
    const stored = this.tree.get([level, index]);
    const newest = level === 0 ? this.env.get(NEWEST) : undefined;
    return newest === undefined ? stored : withNewest(index, stored, newest);
  }

  /** Number of the last stored event, and how many there are: the others up to it were moved to the archive. */
  extent(): { readonly last: number; readonly count: number } {
    const [last = 0] = this.events.getKeys({ reverse: true, limit: 1 });
    return { last, count: entryCount(this.events) };
  }

  /** Up to `limit` events from one number to another, in order. Each call is a snapshot of its own. */
  slice(from: number, upTo: number, limit: number): readonly Append[] {
    const found: Append[] = [];
    for (const { key, value } of this.events.getRange({ start: from, end: upTo + 1, limit })) {
      found.push({ seq: key, bytes: value, origin: this.origins.get(key) });
    }
    return found;
  }

  private erase({ events, drop, put }: Erasure): void {
    for (const seq of events) this.origins.removeSync(seq);
    for (const key of drop) this.index.removeSync(key);
    for (const { key, value } of put) this.index.putSync(key, value);
  }

  private writeTree({ tiles, newest }: StoredTree): void {
    for (const { level, index, hashes } of tiles) this.tree.putSync([level, index], hashes);
    if (newest === undefined) this.env.removeSync(NEWEST);
    else this.env.putSync(NEWEST, newestRow(newest));
  }

  private writeIndex({ postings, upTo, salt, anew }: IndexEntries): void {
    if (anew) this.index.clearSync();
    for (const { key, value } of postings) this.index.putSync(key, value);
    this.meta.putSync('indexed', String(upTo));
    this.meta.putSync('salt', salt.toString('hex'));
  }

  private writeHistory({ at, frames, anew }: HistoryEntries): void {
    if (anew) this.history.clearSync();
    for (const { view, text } of frames) this.history.putSync([view, at], text);
    this.history.putSync([MOMENT, at], '');
  }

  /** How far the index has come. */
  indexed(): number {
    return Number(this.meta.get('indexed') ?? 0);
  }

  /** Salt of the keys of the index; undefined before the first of them. */
  salt(): Buffer | undefined {
    const salt = this.meta.get('salt');
    return salt === undefined ? undefined : Buffer.from(salt, 'hex');
  }

  /** The last list of the index at or before this key. */
  postingBefore(key: Buffer): Posting | undefined {
    const [entry] = this.index.getRange({ start: key, reverse: true, limit: 1 });
    return entry;
  }

  /** Lists of the index from a key on, before another. */
  postings(from: Buffer, before: Buffer, limit: number): readonly Posting[] {
    return [...this.index.getRange({ start: from, end: before, limit })];
  }

  /** The last moment at or before an event at which the views were kept. */
  momentBefore(seq: number): number | undefined {
    const [key] = this.history.getKeys({ start: [MOMENT, seq], end: [MOMENT, -1], reverse: true, limit: 1 });
    return key?.[1];
  }

  /** Frames of a view, from the last at or before an event backwards. */
  *framesBefore(view: string, seq: number): Iterable<string> {
    for (const { value } of this.history.getRange({ start: [view, seq], end: [view, -1], reverse: true })) yield value;
  }

  size(view: ViewName): number {
    return this.rows[view].size();
  }

  /** The row of a view in the stored form. */
  text(view: ViewName, key: string): string | undefined {
    return this.rows[view].text(key);
  }

  /** Runs with no other process inside: LMDB lets one writer in at a time. All that is read is as the last commit left it. Nothing is written. */
  exclusively<T>(work: () => T): T {
    return this.transaction(work);
  }

  /** Everything read inside is of one moment. */
  atOnce<T>(work: () => T): T {
    this.refresh();
    this.pinned = true;
    try {
      return work();
    } finally {
      this.pinned = false;
    }
  }

  /** Lets go of the snapshot that reads share, so that the next read sees what another process has written since. */
  refresh(): void {
    if (!this.pinned) this.env.resetReadTxn();
  }

  /** The rows of a view in the stored form. */
  texts(view: ViewName): Iterable<readonly [key: string, text: string]> {
    return this.rows[view].texts();
  }

  async close(): Promise<void> {
    await this.env.close();
    this.last.close();
  }
}

/* Rows that lie beside the names of the databases. An older version kept the position in `meta`, from where the first commit takes it. */
const POSITION = 'position';
const NEWEST = 'newest';
const RECENT = 'recent-rows';

const EMPTY: unknown = {
  get: () => undefined,
  doesExist: () => false,
  getKeys: () => [],
  getRange: () => [],
  getStats: () => ({ entryCount: 0 }),
};

/** Stands where the name of a view would in the keys of the history. */
const MOMENT = '';
