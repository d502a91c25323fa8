import { LRUCache } from 'lru-cache';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

export interface Shares {
  /** Milliseconds of work in each second, of all sources together and of each. */
  readonly total: number;
  readonly perSource: number;
}

/** What is left of a share. */
interface Account {
  left: number;
  readonly at: number;
}

const SECOND = 1000;

/**
 * How much of the loop strangers may take. What work costs is known only when it is done, so it is taken on credit: one piece is always done,
 * and then nothing more until time has paid for it. A second without work gives a second's share, and more is not saved up.
 */
export class WorkBudget {
  private all: Account;
  private readonly sources = new LRUCache<string, Account>({ max: limits.tiles.sources });

  constructor(
    private readonly clock: Clock,
    private readonly shares: Shares,
  ) {
    this.all = { left: shares.total, at: clock.monotonic() };
  }

  /** Seconds until there may be more work for all, and for this source; 0: now. */
  wait(source: string): { readonly all: number; readonly source: number } {
    return {
      all: wait(this.now(this.all, this.shares.total), this.shares.total),
      source: wait(this.now(this.sources.get(source), this.shares.perSource), this.shares.perSource),
    };
  }

  /** So much was done (ms). */
  spend(source: string, ms: number): void {
    const all = this.now(this.all, this.shares.total);
    const one = this.now(this.sources.get(source), this.shares.perSource);
    this.all = { ...all, left: all.left - ms };
    this.sources.set(source, { ...one, left: one.left - ms });
  }

  private now(account: Account | undefined, share: number): Account {
    const at = this.clock.monotonic();
    if (account === undefined) return { left: share, at };
    return { left: Math.min(share, account.left + ((at - account.at) / SECOND) * share), at };
  }
}

const wait = ({ left }: Account, share: number): number => (left > 0 ? 0 : Math.max(1, Math.ceil(-left / share)));
