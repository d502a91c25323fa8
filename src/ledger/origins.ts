import * as E from 'fp-ts/lib/Either.js';
import { LRUCache } from 'lru-cache';
import type { Origin } from '../../events/index.js';
import type { OriginOf } from '../../projections/index.js';
import { limits } from '../limits.js';
import { unsealed } from './stamp.js';

/** Personal data by the number of its event. What cannot be read is not known: a list is shown without a name, and a scan of the log says why. */
export class Origins {
  /** As they were parsed last. Only this process writes, and says what it erased. */
  private readonly parsed: LRUCache<number, Origin> | undefined;
  /** Erased with the last commit. Whoever is set back would read them still. */
  private gone: ReadonlySet<number> = new Set();

  constructor(
    private readonly stored: (seq: number) => Buffer | undefined,
    remember: boolean,
  ) {
    this.parsed = remember ? new LRUCache({ max: limits.ledger.originsRemembered }) : undefined;
  }

  readonly of: OriginOf = (seq) => {
    const known = this.parsed?.get(seq);
    if (known !== undefined) return known;
    if (this.gone.has(seq)) return undefined;
    const bytes = this.stored(seq);
    const read = bytes === undefined ? undefined : unsealed(bytes);
    if (read === undefined || E.isLeft(read)) return undefined;
    this.parsed?.set(seq, read.right);
    return read.right;
  };

  /** What the last commit erased. */
  forget(seqs: readonly number[]): void {
    this.gone = new Set(seqs);
    for (const seq of seqs) this.parsed?.delete(seq);
  }
}
