import type { Tile } from '../proof/tile.js';
import type { Damage } from './damage.js';

/** What lies under one tile of level 0: 256 leaves, fewer in the last. */
export interface Leaves {
  readonly index: number;
  /** The exact bytes of each event, or why it is not there. */
  readonly leaves: readonly (Leaf | undefined)[];
  /** Events that lie there beyond those that have a place. */
  readonly extra: number;
}

export interface Leaf {
  readonly bytes: Buffer;
  /** Its personal data as they are stored beside it; undefined if there are none, null if this source never has any. */
  readonly origin: Buffer | undefined | null;
}

export interface Later {
  readonly seq: number;
  readonly bytes: Buffer;
}

/**
 * A log to verify, wherever it lies. Nothing of what it says is believed: it may have been made by whoever wants to be believed. All
 * numbers in it are bounded by its own size.
 */
export interface Source {
  /** What it is, for people: `ledger /path`. */
  readonly name: string;
  /** The note of its last checkpoint. */
  readonly checkpoint: string | undefined;
  /** Events it says it has, which may be more than were signed for. */
  readonly size: number;
  /** The root (hex) that it says they have; undefined where only the checkpoint says it. */
  readonly root: string | undefined;
  /** Is its size what its checkpoint says, and nothing else? Then there is nothing to read where that is not believed. */
  readonly sizeIsSigned: boolean;
  /** May its last tiles have more hashes by now than it had events? They have where somebody goes on writing to it. */
  readonly tilesGrow: boolean;
  /** What was found wrong before a single event was read. */
  readonly found: readonly Damage[];
  /** From the first event to the last. */
  leaves(): AsyncIterable<Leaves>;
  /** The hashes of a tile as it is stored; undefined if it is not there. */
  tile(tile: Tile): Promise<Buffer | undefined>;
  /** Where the views lie beside the log: those that are not what its events make of them. Every event is folded for it. */
  views?(): readonly Damage[];
  /** What was recorded behind its size since that was read, where somebody goes on writing to it. */
  later(): Iterable<Later>;
  close(): Promise<void>;
}
