import type { Event } from '../../events/index.js';
import type { OriginOf, Views } from '../../projections/index.js';
import { managesAll, mayManage, type Principal } from '../decisions/principal.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Dialect } from '../protocol/dialect.js';
import { Encoded } from '../protocol/frames.js';
import { pairEntries } from '../protocol/pairing.js';

export interface PairListOptions {
  readonly views: () => Views;
  readonly originOf: OriginOf;
  readonly clock: Clock;
  readonly isConnected: (device: string) => boolean;
  /** Runs what reads and is remembered. */
  readonly latest: <T>(read: () => T) => T;
}

/** The answer of device.pair.list, encoded once for all who may see all of it: a UI asks for it at every pairing event. */
export class PairList {
  private readonly cached = new Map<Dialect, { readonly encoded: Encoded; readonly until: number }>();

  constructor(private readonly options: PairListOptions) {}

  /** An event that may change what the list shows. */
  invalidate({ type }: Event): void {
    if (type !== 'health.ticked' && type !== 'connection.refused') this.forget();
  }

  /** Anything may have changed. */
  forget(): void {
    this.cached.clear();
  }

  for(by: Principal, dialect: Dialect): Encoded {
    const { clock } = this.options;
    if (!managesAll(by)) return this.made((device) => mayManage(by, device), dialect);
    const cached = this.cached.get(dialect);
    if (cached !== undefined && clock.now() < cached.until) return cached.encoded;
    const made = this.options.latest(() => ({ encoded: this.made(() => true, dialect), until: this.firstExpiry() }));
    this.cached.set(dialect, made);
    return made.encoded;
  }

  private made(isVisible: (device: string) => boolean, dialect: Dialect): Encoded {
    const { views, originOf, clock, isConnected } = this.options;
    return new Encoded(JSON.stringify(pairEntries(views(), originOf, clock.now(), isVisible, dialect, isConnected)));
  }

  /** When the first request that waits will have waited too long. One that an open session keeps alive ends with an event. */
  private firstExpiry(): number {
    const now = this.options.clock.now();
    let first = Number.POSITIVE_INFINITY;
    for (const [, { refreshedAt }] of this.options.views().pending.entries()) {
      const expiry = refreshedAt + limits.pairing.pendingMs;
      if (expiry > now) first = Math.min(first, expiry);
    }
    return first;
  }
}
