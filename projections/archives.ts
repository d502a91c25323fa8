import { type Projection, put, unchanged } from './projection.js';

/** A file of the archive: the events of little value among those from `from` to `to`, which are its first and its last. */
export interface ArchivedSegment {
  readonly segment: string;
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly encoding: string;
  readonly bytes: number;
  readonly sha256: string;
  /** The event that says so. */
  readonly seq: number;
}

/** As many digits as the largest number that a segment can hold (48 bits): keys and files sort as their numbers do. */
const DIGITS = 15;

export const inOrder = (seq: number): string => String(seq).padStart(DIGITS, '0');

/** Segments in log order. */
export const archives: Projection<ArchivedSegment> = {
  name: 'archives',
  version: 1,
  apply: (event) =>
    event.type === 'log.archived' ? [put(inOrder(event.data.from), { ...event.data, seq: event.seq })] : unchanged,
};
