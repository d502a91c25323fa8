import { LRUCache } from 'lru-cache';
import { limits } from '../limits.js';
import type { RefusalRecord } from './refusal-record.js';

/** Which refusals of a window are told one by one. */
export class RefusalBudget {
  private readonly spent = new LRUCache<string, number>({ max: limits.refusals.sources });
  private readonly seen = new LRUCache<string, true>({ max: limits.refusals.sources });
  private total = 0;
  private firsts = 0;

  /** Takes its part of the budget, if there is one left. */
  has(refusal: RefusalRecord): boolean {
    const known = knownIn(refusal);
    return (
      this.isFirst(refusal) || (known === undefined ? this.hasOfSource(refusal.source) : this.spend(`known ${known}`))
    );
  }

  /** The next window. */
  renew(): void {
    this.spent.clear();
    this.total = 0;
    this.firsts = 0;
  }

  private isFirst({ source, data: { reason } }: RefusalRecord): boolean {
    const key = `${source} ${reason}`;
    if (this.seen.has(key) || this.firsts >= limits.refusals.firsts) return false;
    this.seen.set(key, true);
    this.firsts++;
    return true;
  }

  private hasOfSource(source: string): boolean {
    if (this.total >= limits.refusals.total || !this.spend(`source ${source}`)) return false;
    this.total++;
    return true;
  }

  private spend(whose: string): boolean {
    const spent = this.spent.get(whose) ?? 0;
    if (spent >= limits.refusals.perSource) return false;
    this.spent.set(whose, spent + 1);
    return true;
  }
}

const knownIn = ({ known, data }: RefusalRecord): string | undefined =>
  known ? (data.device ?? data.credential) : undefined;
