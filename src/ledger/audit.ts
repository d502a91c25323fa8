import { limits } from '../limits.js';
import { DamagedEvent, LedgerDamaged } from './damage.js';
import type { Reader } from './reader.js';
import { foldVersions } from './rebuild.js';
import type { Position, Store } from './store.js';

/** What the start found. */
export interface Audit {
  readonly position: Position;
  /** Folds that this program makes differently from those that are stored. */
  readonly outdated: readonly string[];
}

/**
 * Start is an audit: the numbers have no gap, the tail reads back as what was written, and the views stand where the
 * log does. What fails here would later fail where it costs more.
 */
export const audit = (store: Store, reader: Reader): Audit => {
  const { last, count } = store.extent();
  const position = store.position();
  if (position === undefined) {
    if (count > 0) throw new LedgerDamaged('it has events but no position', lastGood(reader));
    return { position: { seq: 0, at: 0, views: foldVersions() }, outdated: [] };
  }
  if (last !== count) throw new LedgerDamaged(`${count} events are numbered up to ${last}`, lastGood(reader));
  if (last !== position.seq)
    throw new LedgerDamaged(`the views stand at ${position.seq}, the log at ${last}`, lastGood(reader));
  checkTail(reader, position);
  const known = foldVersions();
  return { position, outdated: Object.keys(known).filter((view) => known[view] !== position.views[view]) };
};

const checkTail = (reader: Reader, position: Position): void => {
  let at = 0;
  try {
    for (const event of reader.range({ after: Math.max(0, position.seq - limits.ledger.auditTail) })) {
      if (event.at < at) throw new DamagedEvent(event.seq, 'it is earlier than the event before it');
      at = event.at;
    }
  } catch (error) {
    if (!(error instanceof DamagedEvent)) throw error;
    throw new LedgerDamaged(error.message, lastGood(reader));
  }
  if (at !== position.at) throw new LedgerDamaged('its last event is not of the time it ends at', lastGood(reader));
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
