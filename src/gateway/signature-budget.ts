import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Place } from './place.js';

const WINDOW_MS = 1000;

/**
 * Checking a signature is the dearest thing that a stranger can have us do. Whoever shows no credential of ours has so many checked a
 * second, each source and all of them together; whoever shows one does not feel it.
 */
export class SignatureBudget {
  private readonly bySource = new Map<string, number>();
  private readonly perSource: number;
  private readonly total: number;
  private spent = 0;
  private since = 0;

  /** `among`: processes that share it. */
  constructor(
    private readonly clock: Clock,
    among = 1,
  ) {
    this.perSource = Math.ceil(limits.signature.perSource / among);
    this.total = Math.ceil(limits.signature.total / among);
  }

  /** Takes one. Ms to wait for the next where there is none left. */
  spend({ source, local }: Place): number {
    if (local) return 0;
    const age = this.clock.monotonic() - this.since;
    if (age >= WINDOW_MS) this.begin();
    const own = this.bySource.get(source) ?? 0;
    if (own >= this.perSource || this.spent >= this.total) return Math.ceil(WINDOW_MS - age);
    this.bySource.set(source, own + 1);
    this.spent++;
    return 0;
  }

  private begin(): void {
    this.since = this.clock.monotonic();
    this.spent = 0;
    this.bySource.clear();
  }
}
