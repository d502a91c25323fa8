import { setTimeout as sleep } from 'node:timers/promises';

/** Ms on a clock that all processes of this machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Calls at a pace, whatever becomes of the calls before (an open loop): each is told when it was due. */
export const paced = async (
  perSecond: number,
  seconds: number,
  call: (due: number, n: number) => void,
): Promise<{ readonly calls: number; readonly latestMs: number }> => {
  const begun = now();
  const calls = Math.round(perSecond * seconds);
  let latestMs = 0;
  for (let n = 0; n < calls; ) {
    const due = begun + (n * 1000) / perSecond;
    const wait = due - now();
    if (wait > 0) await sleep(Math.max(1, wait));
    else {
      latestMs = Math.max(latestMs, -wait);
      call(due, n++);
    }
  }
  return { calls, latestMs };
};

/** Counts by name. */
export class Tally {
  private readonly counts = new Map<string, number>();

  add(name: string, count = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + count);
  }

  get total(): number {
    return totalOf(this.toRecord());
  }

  toRecord(): Counted {
    return Object.fromEntries(this.counts);
  }
}

export type Counted = Readonly<Record<string, number>>;

export const added = (parts: readonly Counted[]): Counted => {
  const tally = new Tally();
  for (const part of parts) for (const [name, count] of Object.entries(part)) tally.add(name, count);
  return tally.toRecord();
};

export const totalOf = (counts: Counted): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** `timeout 3, http 503 2`; undefined of nothing. */
export const told = (counts: Counted): string | undefined =>
  Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || undefined;
