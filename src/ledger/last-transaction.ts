import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { lastTransactionOf } from './datafile.js';

/*
 * Whoever opens an LMDB environment, if only to read, tells all that have it open which transaction was the last: the one that the file had when
 * the opening began (`me_txns->mti_txnid = meta.mm_txnid` in mdb_env_open2, mdb.c:6161 of lmdb-js 3.5.6, and so since 2.0; in LMDB itself it was
 * ITS#9496, mended in 2021). Where the writer has committed meanwhile, all are set back: what they read is as it was before the last commit, and
 * what is written on it undoes that commit, or ends in MDB_BAD_TXN, MDB_PROBLEM or SIGSEGV.
 *
 * So each write transaction asks here whether it begins where the last one ended. If not, it writes nothing, the number is put right, and it begins
 * again. What is decided or written is read inside of one (`Store.exclusively`). What is read beside them, or in another process, may be as of the
 * commit before the last until the writer looks again, which is after a second at most; never older, as LMDB keeps two states. It must not be
 * remembered then: see `StoredRows.written`, `Origins.forget` and `Ledger.latest`.
 *
 * The number is in the lock file, which all of them map: magic u32, format u32, last transaction u64.
 */

const MAGIC = 0xbeefc0de;
const LAST_AT = 8;
const HEAD = 16;

export class LastTransaction {
  /** Of this process; 0 before its first. */
  private committed = 0;
  private lockFile: number | undefined;

  constructor(private readonly folder: string) {}

  /** For who is in the write transaction of this number, which keeps all others from committing. If true the next one begins where it should. */
  wasSetBack(number: number): boolean {
    if (this.committed > 0 && number > this.committed) return false;
    const last = lastTransactionOf(join(this.folder, 'data.mdb'));
    if (number > last) return false;
    this.setForward(last);
    return true;
  }

  /** It is on the disk. */
  is(number: number): void {
    this.committed = number;
  }

  private setForward(last: number): void {
    this.lockFile ??= openSync(join(this.folder, 'lock.mdb'), 'r+');
    const head = Buffer.alloc(HEAD);
    if (readSync(this.lockFile, head, 0, HEAD, 0) < HEAD || head.readUInt32LE(0) !== MAGIC)
      throw new Error('the lock file of the ledger is not one of LMDB');
    head.writeBigUInt64LE(BigInt(last), LAST_AT);
    writeSync(this.lockFile, head, LAST_AT, HEAD - LAST_AT, LAST_AT);
  }

  /** Only when the environment is closed: with any descriptor of the lock file a process lets go of all that it has locked there. */
  close(): void {
    if (this.lockFile !== undefined) closeSync(this.lockFile);
    this.lockFile = undefined;
  }
}
