/** A stored event that cannot be what was written. Everything before it is good. */
export class DamagedEvent extends Error {
  override readonly name = 'DamagedEvent';
  constructor(
    readonly seq: number,
    readonly what: string,
  ) {
    super(`event ${seq} is damaged: ${what}`);
  }
}

/** A file of the archive that is missing, or not what was sealed, or in a form this program cannot read. */
export class SegmentUnreadable extends Error {
  override readonly name = 'SegmentUnreadable';
  readonly segment: string;
  readonly from: number;
  readonly to: number;
  constructor(
    { segment, from, to }: { readonly segment: string; readonly from: number; readonly to: number },
    readonly what: string,
  ) {
    super(`archive segment ${segment} (events ${from} to ${to}) cannot be read: ${what}`);
    this.segment = segment;
    this.from = from;
    this.to = to;
  }
}

/** What a reader can come upon. */
export type Damage = DamagedEvent | SegmentUnreadable;

/** The ledger is not what this program wrote. It has not been touched. */
export class LedgerDamaged extends Error {
  override readonly name = 'LedgerDamaged';
  constructor(
    readonly what: string,
    /** Everything up to here can be read; undefined if nothing of it can. */
    readonly lastGood: number | undefined,
  ) {
    super(
      `the ledger is damaged: ${what}; ${lastGood === undefined ? 'nothing of it can be read' : `the last good position is event ${lastGood}`}`,
    );
  }
}

/** Errors by which LMDB says that its pages are not what it wrote: MDB_PAGE_NOTFOUND, _CORRUPTED, _VERSION_MISMATCH, _INVALID. */
const BROKEN_PAGES = new Set<unknown>([-30797, -30796, -30794, -30793]);

/** Does this error say that the ledger is damaged? */
export const isDamage = (error: unknown): boolean =>
  error instanceof LedgerDamaged ||
  error instanceof DamagedEvent ||
  error instanceof SegmentUnreadable ||
  BROKEN_PAGES.has((error as { code?: unknown } | null)?.code);
