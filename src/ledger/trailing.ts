import type { Event } from '../../events/index.js';
import { limits } from '../limits.js';
import type { Entropy } from '../ports.js';
import type { ViewChanges } from './draft.js';
import type { Erasure } from './erasure.js';
import { History } from './history.js';
import type { Reader } from './reader.js';
import type { Batch, Store } from './store.js';
import { TermIndex } from './terms.js';

/** The next piece of what trails, to go along with a batch. */
export type Piece = Pick<Batch, 'index' | 'history'>;

const SALT_BYTES = 16;

/**
 * The folds that trail the log, because larger pieces cost a fraction of what single entries cost: the index of terms, and the views as
 * they were. A piece counts as written only when its batch is on the disk.
 */
export class Trailing {
  private readonly terms: TermIndex;

  private constructor(
    private history: History,
    private readonly store: () => Store,
    private readonly log: Reader,
    entropy: Entropy,
  ) {
    this.terms = new TermIndex(store().indexed(), store().salt() ?? entropy.bytes(SALT_BYTES), log);
  }

  /** Goes on where the log was left. */
  static after(store: () => Store, log: Reader, position: number, entropy: Entropy): Trailing {
    return new Trailing(History.after(store(), log, position), store, log, entropy);
  }

  /** The store was closed and opened again: what was on its way to it may be there or not. */
  reopened(position: number): void {
    this.history = History.after(this.store(), this.log, position);
    this.terms.reopened(this.store().indexed());
  }

  /** Everything was made anew but the index, which begins again with the first event. */
  restart(position: number): void {
    this.reopened(position);
    this.terms.restart();
  }

  /** Events that the index does not hold yet. */
  behind(position: number): number {
    return position - this.terms.upTo;
  }

  /** A part of what was due is written, and the rest may follow at once. */
  get unfinished(): boolean {
    return this.terms.unfinished;
  }

  /** What is due at this position, if so many events wait for it; undefined if nothing is. Reads the log where that is needed, and throws what it finds damaged. */
  due(position: number, toIndex: number, toKeep: number = limits.ledger.historyEvents): Piece | undefined {
    const index = this.terms.due(position, toIndex);
    const history = this.history.due(position, toKeep);
    return index === undefined && history === undefined ? undefined : { index, history };
  }

  /** It is on the disk. */
  written(piece: Piece | undefined): void {
    if (piece?.index !== undefined) this.terms.written(piece.index.upTo);
    if (piece?.history !== undefined) this.history.written(piece.history);
  }

  /** What goes with the personal data of these events. */
  erasure(events: readonly number[]): Erasure {
    return { events, ...this.terms.without(events, this.store()) };
  }

  /** The first of these events, in rising order: as many as one commit erases without keeping the loop. */
  erasedAtOnce(events: readonly number[]): readonly number[] {
    return this.terms.atOnce(events, this.store());
  }

  /** It is gone from the disk. */
  erased(): void {
    this.terms.forget();
  }

  /** A batch that was committed. */
  note(events: readonly Event[], changes: readonly ViewChanges[]): void {
    this.history.note(changes);
    this.terms.note(events);
  }
}
