import type { ArchivedSegment } from '../../projections/index.js';
import { limits } from '../limits.js';
import { HASH_BYTES, leafHash } from '../proof/merkle.js';
import { TILE_WIDTH } from '../proof/tile.js';
import { archiveFolder, listedInLog, listedInView, segmentFault } from './archive.js';
import { DamagedEvent, LedgerDamaged, type SegmentUnreadable } from './damage.js';
import type { Position } from './position.js';
import type { Reader } from './reader.js';
import { foldVersions, outdated } from './rebuild.js';
import type { Store } from './store.js';
import { Tree } from './tree.js';

/** What the start found. */
export interface Audit {
  readonly position: Position;
  /** Folds that this program makes differently from those that are stored. */
  readonly outdated: readonly string[];
  /** Files of the archive that are missing or of another size. Nothing but the past is lost with them: it starts all the same. */
  readonly unreadable: readonly SegmentUnreadable[];
}

/**
 * Start is an audit: each number is in the log or in the archive, the tail reads back as what was written, and the views stand where the
 * log does. What fails here would later fail where it costs more.
 */
export const audit = (store: Store, reader: Reader): Audit => {
  const { last, count } = store.extent();
  const position = store.position();
  if (position === undefined) {
    if (count > 0) throw new LedgerDamaged('it has events but no position', lastGood(reader));
    return { position: { seq: 0, at: 0, root: Tree.empty.root, views: foldVersions() }, outdated: [], unreadable: [] };
  }
  const segments = segmentsThatFill(last - count, store);
  if (segments === undefined)
    throw new LedgerDamaged(
      `${count} events are numbered up to ${last}, and the archive has not the rest`,
      lastGood(reader),
    );
  if (last !== position.seq)
    throw new LedgerDamaged(`the views stand at ${position.seq}, the log at ${last}`, lastGood(reader));
  checkTail(reader, position, store);
  const folder = archiveFolder(store);
  return {
    position,
    outdated: segments.inView ? outdated(position) : [...outdated(position), 'archives'],
    unreadable: segments.rows.map((row) => segmentFault(folder, row)).filter((fault) => fault !== undefined),
  };
};

interface Segments {
  readonly rows: readonly ArchivedSegment[];
  readonly inView: boolean;
}

/** Segments that hold so many events: as the view has them, or if it is of no use as the log says, from which it can be made anew. */
const segmentsThatFill = (gap: number, store: Store): Segments | undefined => {
  const held = (rows: readonly ArchivedSegment[]): number => rows.reduce((sum, { events }) => sum + events, 0);
  const rows = [...listedInView(() => store)(0)];
  if (held(rows) === gap) return { rows, inView: true };
  const said = [...listedInLog(() => store)(0)];
  return held(said) === gap ? { rows: said, inView: false } : undefined;
};

const checkTail = (reader: Reader, position: Position, store: Store): void => {
  let at = 0;
  try {
    for (const { event, bytes } of reader.stored({ after: Math.max(0, position.seq - limits.ledger.auditTail) })) {
      if (event.at < at) throw new DamagedEvent(event.seq, 'it is earlier than the event before it');
      at = event.at;
      if (position.root !== undefined && !isLeaf(event.seq, bytes, store))
        throw new DamagedEvent(event.seq, 'it is not what the tree of the log has there');
    }
  } catch (error) {
    if (!(error instanceof DamagedEvent)) throw error;
    throw new LedgerDamaged(error.message, lastGood(reader));
  }
  if (at !== position.at) throw new LedgerDamaged('its last event is not of the time it ends at', lastGood(reader));
};

/** Is it what was hashed when it was written? */
const isLeaf = (seq: number, bytes: Buffer, store: Store): boolean => {
  const at = ((seq - 1) % TILE_WIDTH) * HASH_BYTES;
  const tile = store.tile(0, Math.floor((seq - 1) / TILE_WIDTH));
  return tile !== undefined && leafHash(bytes).equals(tile.subarray(at, at + HASH_BYTES));
};

/** Reads from the beginning to the first event that is missing or not good. */
const lastGood = (reader: Reader): number => {
  let good = 0;
  try {
    for (const event of reader.range()) {
      if (event.seq !== good + 1) return good;
      good = event.seq;
    }
  } catch (error) {
    if (!(error instanceof DamagedEvent)) throw error;
  }
  return good;
};
