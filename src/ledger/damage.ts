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
