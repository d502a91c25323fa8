import * as t from 'io-ts';
import { fields, Int, kind } from './envelope.js';
import { Ranges } from './ranges.js';

/**
 * Somebody looked at the evidence, through the gateway: which question, about what, and up to which event it was answered. An address that was asked
 * about is personal, and only that there was one is kept.
 */
const Read = fields(
  { question: t.string, upTo: Int },
  {
    device: t.string,
    request: t.string,
    connection: t.string,
    credential: t.string,
    address: t.literal(true),
    event: t.string,
    from: Int,
    to: Int,
    /** How many events, devices or lines the answer had. */
    found: Int,
  },
);

/**
 * Events of little value were moved from the log to a compressed file: `events` of those from `from` to `to`. `sha256` is of
 * the file as it is on the disk, so it still says whether what is in it is what was moved.
 */
const Archived = t.exact(
  t.type({
    segment: t.string,
    from: Int,
    to: Int,
    events: Int,
    encoding: t.string,
    bytes: Int,
    sha256: t.string,
  }),
);

/**
 * The log is older than, or another than, the one that was last signed for, and somebody said that it is to be gone on with: `mark` is what
 * had been signed for, `size` and `root` (hex) what is there.
 */
const Restored = t.exact(
  t.type({
    kind: t.string,
    mark: t.exact(t.type({ origin: t.string, size: Int, root: t.string })),
    size: Int,
    root: t.string,
    reason: t.string,
  }),
);

const Held = fields({}, { reason: t.string });
const Released = t.exact(t.type({}));

/**
 * The personal data of these events are gone, with their salt; that there were some, and their hash, stays. `of`: what they were found by,
 * with its id, unless that is personal itself. An erasure of many events is several of these, of which the first is the cause of the others.
 */
const Erased = fields(
  {
    of: t.keyof({ device: null, address: null, connection: null, request: null }),
    events: Int,
    numbers: Ranges,
    reason: t.string,
  },
  { device: t.string, connection: t.string, request: t.string },
);

export const logEvents = {
  'log.read': kind(Read),
  'log.archived': kind(Archived),
  /** From now on nothing is moved to the archive. */
  'log.held': kind(Held),
  'log.released': kind(Released),
  'log.restored': kind(Restored),
  'log.erased': kind(Erased),
};
