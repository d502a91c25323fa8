import type { Event } from '../../events/index.js';
import type { Views } from '../../projections/index.js';
import { waits } from '../decisions/device.js';
import { isAdmin, type Principal } from '../decisions/principal.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Dialect } from '../protocol/dialect.js';
import { Encoded } from '../protocol/frames.js';
import type { Sessions } from './sessions.js';
import { pairedInDialect4, pairedOnWire, pendingInList } from './wire.js';

/** Requests that wait, newest first, and devices, latest approval first. */
export interface PairEntries {
  readonly pending: readonly ReturnType<typeof pendingInList>[];
  readonly paired: readonly ReturnType<typeof pairedOnWire>[];
}

/** Everything a list shows, as it is now. */
export const pairEntries = (
  views: Views,
  now: number,
  own: string | undefined,
  dialect: Dialect,
  isConnected: (device: string) => boolean,
): PairEntries => {
  const mine = ([device]: readonly [string, unknown]): boolean => own === undefined || device === own;
  const pending = [...views.pending.entries()].filter(mine).map(([, request]) => request);
  const paired = [...views.paired.entries()].filter(mine).map(([, device]) => device);
  return {
    pending: pending
      .filter((request) => waits(request, views, { now }))
      .sort((a, b) => b.seq - a.seq)
      .map(pendingInList),
    paired: paired
      .sort((a, b) => b.seq - a.seq)
      .map((device) => {
        const usage = views.usage.get(device.device);
        return dialect === 4
          ? pairedInDialect4(device, usage, isConnected(device.device))
          : pairedOnWire(device, usage);
      }),
  };
};

export interface PairListOptions {
  readonly views: () => Views;
  readonly clock: Clock;
  readonly sessions: Sessions;
}

/** The answer of device.pair.list, encoded once for all who may see all of it: a UI asks for it at every pairing event. */
export class PairList {
  private readonly cached = new Map<Dialect, { readonly encoded: Encoded; readonly until: number }>();

  constructor(private readonly options: PairListOptions) {}

  /** An event that may change what the list shows. */
  invalidate(event: Event): void {
    if (event.type === 'health.ticked' || event.type === 'connection.refused') return;
    this.cached.clear();
  }

  for(by: Principal, dialect: Dialect): Encoded {
    const { clock } = this.options;
    const own =
      by.kind === 'connection' && by.method === 'device-token' && !isAdmin(by) ? (by.device ?? '') : undefined;
    if (own !== undefined) return this.made(own, dialect);
    const cached = this.cached.get(dialect);
    if (cached !== undefined && clock.now() < cached.until) return cached.encoded;
    const encoded = this.made(undefined, dialect);
    this.cached.set(dialect, { encoded, until: this.firstExpiry() });
    return encoded;
  }

  private made(own: string | undefined, dialect: Dialect): Encoded {
    const { views, clock, sessions } = this.options;
    return new Encoded(
      JSON.stringify(pairEntries(views(), clock.now(), own, dialect, (device) => sessions.isConnected(device))),
    );
  }

  /** When the first request that waits will have waited too long. */
  private firstExpiry(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const [, { refreshedAt }] of this.options.views().pending.entries())
      first = Math.min(first, refreshedAt + limits.pairing.pendingMs);
    return first;
  }
}
