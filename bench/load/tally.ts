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
