import * as E from 'fp-ts/lib/Either.js';
import type { Event, Fact } from '../../events/index.js';
import type { OriginOf, Views } from '../../projections/index.js';
import type { Command, Refused } from '../decisions/decision.js';
import { refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Clock, Entropy } from '../ports.js';
import { LogClock } from './clock.js';
import type { SegmentUnreadable } from './damage.js';
import type { Erasure } from './erasure.js';
import { follow, News } from './follow.js';
import { type Holder, type Lock, takeLock } from './lock.js';
import { audited } from './opening.js';
import type { Position } from './position.js';
import { Reader } from './reader.js';
import { rebuild } from './rebuild.js';
import { Store } from './store.js';
import { rootOf } from './tiles.js';
import { type Piece, Trailing } from './trailing.js';
import { type Growth, replant, type Tree } from './tree.js';
import {
  clockJumped,
  type DecidedBatch,
  decideBatch,
  type Outcome,
  type Queued,
  recording,
  type Settled,
} from './writer.js';

/** What happens around the answer to the one who asked: `announce` before it leaves, `enforce` after. */
export interface Listener {
  readonly announce?: (event: Event) => void;
  readonly enforce?: (event: Event) => void;
}

export interface LedgerOptions {
  /** Folder of the LMDB files. */
  readonly path: string;
  /** What the lock says its holder is. */
  readonly purpose: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly onBug: (error: unknown) => void;
  /** For tests that need a store which fails. */
  readonly openStore?: (path: string) => Store;
}

/** Another process has the log. */
export class LedgerLocked extends Error {
  override readonly name = 'LedgerLocked';
  constructor(readonly holder: Holder) {
    super(`the ledger is in use by ${holder.purpose} (pid ${holder.pid})`);
  }
}

/** Writable, or why not. A disk that was full is tried again; any other failure lasts until a restart. */
export type Health =
  | { readonly writable: true }
  | { readonly writable: false; readonly why: string; readonly until: 'space' | 'restart' };

/** Where the log ends. */
export interface Tip {
  readonly size: number;
  readonly root: string;
}

/** A batch that is decided, with all that is read for it. */
interface Ready {
  readonly batch: DecidedBatch;
  readonly erasure?: Erasure;
  readonly piece?: Piece | undefined;
}

const NO_SPACE = new Set(['ENOSPC', 'EDQUOT', 28, 122]);
const RETRY_MS = 1000;

/**
 * The log and its views, open for writing. A command is decided on the views, its facts are appended and folded in one
 * transaction and one flush with its neighbours, and only then is anybody told. While a batch is on its way to the disk the
 * next one gathers in the sockets.
 */
export class Ledger {
  readonly log: Reader;
  private readonly listeners: Listener[] = [];
  private readonly news = new News();
  private readonly trailing: Trailing;
  private readonly stopIndexing: () => void;
  private queue: Queued[] = [];
  private state: Health = { writable: true };
  private scheduled = false;
  private lingering = false;
  /** Where the log stood when it was last looked whether it is quiet. */
  private looked: number;
  private closed = false;

  private constructor(
    private readonly options: LedgerOptions,
    private store: Store,
    private readonly lock: Lock,
    private position: Position,
    private tree: Tree,
    private readonly clock: LogClock,
    /** Files of the archive that the start could not read. */
    readonly unreadable: readonly SegmentUnreadable[],
  ) {
    this.looked = position.seq;
    this.log = new Reader(() => this.store);
    this.trailing = Trailing.after(() => this.store, this.log, position.seq, options.entropy);
    this.stopIndexing = options.clock.every(limits.ledger.indexMs, () => this.indexIfQuiet());
  }

  /** Opens, takes the lock and audits. Throws LedgerLocked or LedgerDamaged; a view whose fold has changed is made anew. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const store = openStore(options);
    const lock = takeLock(store, options.purpose, options.clock);
    if (E.isLeft(lock)) {
      await store.close();
      throw new LedgerLocked(lock.left);
    }
    try {
      const { position, unreadable, tree } = audited(store);
      const clock = new LogClock(options.clock, position.at);
      const ledger = store.exclusively(() => new Ledger(options, store, lock.right, position, tree, clock, unreadable));
      if (clock.behind !== undefined && position.seq > 0) ledger.record([clockJumped(clock.behind)]);
      return ledger;
    } catch (error) {
      lock.right.release();
      await store.close();
      throw error;
    }
  }

  /** Its folder. */
  get path(): string {
    return this.store.path;
  }

  get views(): Views {
    return this.store.views;
  }

  /** Who the rows of the views are about. */
  readonly originOf: OriginOf = (seq) => this.store.originOf(seq);

  /** What is read inside, of the views as the last commit left them, may be remembered: see `last-transaction.ts`. */
  latest<T>(read: () => T): T {
    return this.state.writable && !this.closed ? this.store.exclusively(read) : read();
  }

  get health(): Health {
    return this.state;
  }

  /** How many events there are, and the root of their tree in hex. All of them are on the disk. */
  get tip(): Tip {
    return { size: this.tree.size, root: this.tree.root };
  }

  /** The root that its first `size` events have. Throws LedgerDamaged. */
  rootAt(size: number): Buffer {
    return rootOf(this.store, size);
  }

  /** The checkpoint that was kept last. */
  get checkpoint(): string | undefined {
    return this.store.checkpoint();
  }

  /** Was a checkpoint of it ever kept by a high-water mark outside? */
  get wasMarked(): boolean {
    return this.store.wasMarked();
  }

  /** Keeps a checkpoint beside the log, on the disk when this returns. False if nothing can be written. */
  keep(checkpoint: string, marked = false): boolean {
    if (!this.state.writable || this.closed) return false;
    try {
      this.store.commit({ events: [], changes: [], position: this.position, checkpoint, marked });
      return true;
    } catch (error) {
      this.fail(error);
      return false;
    }
  }

  /** From now on nothing more is written. */
  halt(why: string): void {
    this.state = { writable: false, why, until: 'restart' };
  }

  /** Queues a command. `settle` is called once, when its facts are on the disk, or with the reason why there are none. */
  commit<A, R>(command: Command<A, R>, settle: (outcome: Outcome<A, Refused<R>>) => void): void {
    this.enqueue({ command, settle: settle as Queued['settle'] });
  }

  /** The same for callers that can wait for a promise; it settles after everybody has been told. */
  decide<A, R>(command: Command<A, R>): Promise<Outcome<A, Refused<R>>> {
    return new Promise((resolve) => this.commit(command, resolve));
  }

  /**
   * The first of these events, in rising order: as many as lose their personal data in one commit that does not keep the loop, and one at
   * least. All of them where nothing can be written, as that is refused anyway.
   */
  erasedAtOnce(events: readonly number[]): readonly number[] {
    return this.state.writable && !this.closed ? this.trailing.erasedAtOnce(events) : events;
  }

  /** The same for the archiver alone: with what it records, the events that were moved go from the log. */
  archive<A, R>(command: Command<A, R>, moved: readonly number[]): Promise<Outcome<A, Refused<R>>> {
    return new Promise((resolve) => this.enqueue({ command, settle: resolve as Queued['settle'], moved }));
  }

  private enqueue(queued: Queued): void {
    if (this.queue.length >= limits.ledger.queue) return queued.settle(E.left(refusal('busy')));
    this.queue.push(queued);
    this.schedule();
  }

  /**
   * Queues facts that no rule decides and nobody waits for: what a client did, what time did. They go with the next flush, or
   * soon by themselves.
   */
  record(facts: readonly Fact[]): void {
    this.queue.push(recording(facts));
    if (this.lingering) return;
    this.lingering = true;
    this.options.clock.after(limits.ledger.lingerMs, () => {
      this.lingering = false;
      if (this.queue.length > 0) this.schedule();
    });
  }

  /** Told of each event in log order, from the next one on. */
  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Every event after a position, then those to come. */
  follow(after: number, signal: AbortSignal): AsyncIterable<readonly Event[]> {
    return follow(this.log, after, this.news.next, signal);
  }

  /**
   * Drops every view, what is kept of them as they were, and the index, and makes them anew from the log; and the tiles of the tree, once it
   * is known that the events are those it was made of. Returns the number of events. Throws LedgerDamaged.
   */
  rebuild(): number {
    replant(this.store, this.log, this.position);
    const events = rebuild(this.store, this.log);
    this.store.exclusively(() => {
      this.position = this.store.position() ?? this.position;
      this.trailing.restart(this.position.seq);
    });
    while (this.trailing.behind(this.position.seq) > 0 && this.state.writable) this.keepUp(1);
    return events;
  }

  /** Commits what is queued, and closes. */
  async close(): Promise<void> {
    this.stopIndexing();
    while (this.queue.length > 0 && this.state.writable) this.flush();
    for (let more = true; more && this.state.writable; more = this.trailing.unfinished) this.keepUp(1, 1);
    this.settle();
    this.closed = true;
    this.refuse(this.queue.splice(0));
    this.lock.release();
    await this.store.close();
  }

  private settle(): void {
    try {
      if (this.state.writable) this.store.settle();
    } catch (error) {
      this.fail(error);
    }
  }

  /** The next batch is decided at the end of this turn of the loop, with all that this turn still brings. */
  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      if (!this.closed) this.flush();
    });
  }

  /** One batch: decide, write, tell. */
  private flush(): void {
    if (!this.state.writable) return this.refuse(this.queue.splice(0));
    const queued = this.queue.splice(0, limits.ledger.batch);
    let ready: Ready;
    try {
      ready = this.store.exclusively(() => this.decided(queued));
    } catch (error) {
      this.fail(error);
      return this.refuse(queued);
    }
    if (ready.batch.stamped.length > 0) this.write(ready);
    else {
      for (const settled of ready.batch.settled) this.tell(settled);
      this.keepUp(limits.ledger.indexBatch);
    }
    if (this.queue.length > 0) this.schedule();
  }

  private decided(queued: readonly Queued[]): Ready {
    const { store, position, clock, options, trailing } = this;
    const batch = decideBatch(queued, store, position, clock, options.entropy, options.onBug);
    if (batch.stamped.length === 0) return { batch };
    /* What trails was gathered before the erasure, and is read anew after it. */
    return batch.erased.length > 0
      ? { batch, erasure: trailing.erasure(batch.erased) }
      : { batch, piece: trailing.due(position.seq, limits.ledger.indexBatch) };
  }

  private write({ batch, piece, erasure }: Ready): void {
    const { stamped, settled, draft, erased } = batch;
    const changes = draft.changes();
    let growth: Growth;
    let position: Position;
    try {
      growth = this.tree.grown(stamped.map(({ bytes }) => bytes));
      position = { ...batch.position, root: growth.edge.root().toString('hex') };
      const events = stamped.map(({ event, bytes, origin }) => ({ seq: event.seq, bytes, origin }));
      this.store.commit({
        events,
        drop: settled.flatMap(({ moved }) => moved),
        changes,
        position,
        erasure,
        tree: growth.stored,
        ...piece,
      });
    } catch (error) {
      this.fail(error);
      return this.refuse(settled);
    }
    this.position = position;
    this.tree.written(growth);
    this.trailing.written(piece);
    this.trailing.note(
      stamped.map(({ event }) => event),
      changes,
    );
    if (erased.length > 0) this.trailing.erased();
    for (const decided of settled) this.tell(decided);
    this.news.wake();
  }

  /** What is left over is indexed when little comes; while much comes it goes in whole batches, with what comes. */
  private indexIfQuiet(): void {
    const came = this.position.seq - this.looked;
    this.looked = this.position.seq;
    if (came < limits.ledger.quietEvents && this.queue.length === 0 && this.state.writable && !this.closed)
      this.keepUp(1);
  }

  /** Writes what trails the log, with nothing else to write. */
  private keepUp(toIndex: number, toKeep?: number): void {
    const { position } = this;
    try {
      const piece = this.store.exclusively(() => this.trailing.due(position.seq, toIndex, toKeep));
      if (piece !== undefined) this.store.commit({ events: [], changes: [], position, ...piece });
      this.trailing.written(piece);
    } catch (error) {
      return this.fail(error);
    }
    if (this.trailing.unfinished || this.trailing.behind(position.seq) >= limits.ledger.indexBatch) this.schedule();
  }

  /** In this order, per decision: those who listen, the one who asked, and then what it puts an end to. */
  private tell({ events, outcome, settle }: Settled): void {
    for (const event of events) for (const listener of this.listeners) this.guarded(() => listener.announce?.(event));
    this.guarded(() => settle(outcome));
    for (const event of events) for (const listener of this.listeners) this.guarded(() => listener.enforce?.(event));
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.options.onBug(error);
    }
  }

  private refuse(queued: readonly Pick<Queued, 'settle'>[]): void {
    for (const { settle } of queued) this.guarded(() => settle(E.left(refusal('log-not-writable'))));
  }

  /** After a failed commit nothing more is written: what reached the disk is not known. A full disk is known to have taken nothing. */
  private fail(error: unknown): void {
    this.options.onBug(error);
    const { code, message } = error as { code?: string | number; message?: string };
    const space = code !== undefined && NO_SPACE.has(code);
    /* What lasts until a restart does: opened again it is only to be read. */
    if (this.state.writable || this.state.until === 'space')
      this.state = { writable: false, why: message ?? String(error), until: space ? 'space' : 'restart' };
    if (space) this.options.clock.after(RETRY_MS, () => void this.reopen());
  }

  /** Closes and opens again, and audits, as a start would. */
  private async reopen(): Promise<void> {
    if (this.closed) return;
    try {
      await this.store.close();
      if (this.closed) return;
      this.store = openStore(this.options);
      const { position, tree } = audited(this.store);
      this.position = position;
      this.tree = tree;
      this.store.exclusively(() => this.trailing.reopened(this.position.seq));
      /* It may have been halted meanwhile. */
      if (!this.state.writable && this.state.until === 'space') this.state = { writable: true };
    } catch (error) {
      this.fail(error);
    }
  }
}

const openStore = ({ openStore: open, path }: LedgerOptions): Store =>
  open === undefined ? new Store({ path }) : open(path);
