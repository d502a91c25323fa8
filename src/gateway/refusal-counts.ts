import { limits } from '../limits.js';
import type { RefusalRecord } from './refusal-record.js';

/** Refusals that are not told one by one: how many, why, and some of the names. */
export interface Counted {
  /** When the first of them was (ms). */
  readonly from: number;
  readonly total: number;
  readonly reasons: { [reason: string]: number };
  /** As kept in memory. */
  readonly sources: readonly string[];
  readonly devices: readonly string[];
  readonly credentials: readonly string[];
}

/** Counts them in a bounded space. */
export class RefusalCounts {
  private total = 0;
  private readonly reasons = new Map<string, number>();
  private readonly sources = new Set<string>();
  private readonly devices = new Set<string>();
  private readonly credentials = new Set<string>();

  constructor(private readonly from: number) {}

  count({ data: { reason, device, credential }, source, known }: RefusalRecord): void {
    this.because(reason, 1);
    const most = known ? limits.refusals.knownNamed : limits.refusals.named;
    name(this.sources, source, limits.refusals.named);
    name(this.devices, device, most);
    name(this.credentials, credential, most);
  }

  /** Those of another count. */
  add({ reasons, sources, devices, credentials }: Counted): void {
    for (const [reason, times] of Object.entries(reasons)) this.because(reason, times);
    for (const source of sources) name(this.sources, source, limits.refusals.named);
    for (const device of devices) name(this.devices, device, limits.refusals.knownNamed);
    for (const credential of credentials) name(this.credentials, credential, limits.refusals.knownNamed);
  }

  counted(): Counted {
    return {
      from: this.from,
      total: this.total,
      reasons: Object.fromEntries(this.reasons),
      sources: [...this.sources],
      devices: [...this.devices],
      credentials: [...this.credentials],
    };
  }

  private because(reason: string, times: number): void {
    this.total += times;
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + times);
  }
}

const name = (set: Set<string>, value: string | undefined, most: number): void => {
  if (value !== undefined && set.size < most) set.add(value);
};
