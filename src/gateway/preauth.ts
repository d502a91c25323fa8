import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Place } from './place.js';

/** A socket that has not been let in. */
interface Waiter {
  /** It took too long. */
  expire(): void;
  /** The gateway stops. */
  dismiss(): void;
}

interface Entry {
  readonly place: Place;
  readonly since: number;
}

const SWEEP_MS = 250;

/**
 * Sockets whose owners nobody knows yet: how many each source may have, how many there may be, and for how long. One sweep for all, no
 * timer for each.
 */
export class Preauth {
  /** In the order they came. */
  private readonly waiters = new Map<Waiter, Entry>();
  private readonly bySource = new Map<string, number>();
  private readonly stopSweep: () => void;
  private stopped = false;

  /** How many there may be: of strangers, and apart from them of this host, so that a flood from outside shuts nobody out here. */
  readonly room: { readonly network: number; readonly loopback: number };
  private readonly perSource: number;
  private loopback = 0;

  constructor(
    private readonly clock: Clock,
    { handshakeMs, maxPayloadBytes }: { readonly handshakeMs: number; readonly maxPayloadBytes: number },
    /** Processes that share it. A source's connections fall to them by chance, so each has a fair part of its room. */
    among = 1,
  ) {
    this.perSource = Math.ceil(limits.sockets.preauthPerSource / among);
    this.room = {
      network: Math.floor(limits.sockets.preauthBytes / maxPayloadBytes / among),
      loopback: Math.floor(limits.sockets.preauthLoopbackBytes / maxPayloadBytes / among),
    };
    this.stopSweep = clock.every(SWEEP_MS, () => this.sweep(handshakeMs));
  }

  /** May one more come from here? */
  hasRoom({ source, loopback }: Place): boolean {
    if (this.stopped) return false;
    if (loopback) return this.loopback < this.room.loopback;
    return this.waiters.size - this.loopback < this.room.network && (this.bySource.get(source) ?? 0) < this.perSource;
  }

  add(waiter: Waiter, place: Place): void {
    const { source, loopback } = place;
    this.waiters.set(waiter, { place, since: this.clock.monotonic() });
    if (loopback) this.loopback++;
    this.bySource.set(source, (this.bySource.get(source) ?? 0) + 1);
  }

  /** It was let in, or is gone. */
  delete(waiter: Waiter): void {
    const entry = this.waiters.get(waiter);
    if (entry === undefined) return;
    this.waiters.delete(waiter);
    const { source, loopback } = entry.place;
    if (loopback) this.loopback--;
    const left = (this.bySource.get(source) ?? 1) - 1;
    if (left === 0) this.bySource.delete(source);
    else this.bySource.set(source, left);
  }

  /** Closes those that are still here. */
  closeAll(): void {
    for (const waiter of [...this.waiters.keys()]) waiter.dismiss();
  }

  /** Nobody is admitted any more. */
  stop(): void {
    this.stopped = true;
    this.stopSweep();
  }

  private sweep(handshakeMs: number): void {
    const latest = this.clock.monotonic() - handshakeMs;
    for (const [waiter, { since }] of this.waiters) {
      if (since > latest) return;
      waiter.expire();
    }
  }
}
