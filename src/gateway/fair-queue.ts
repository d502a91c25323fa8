/** What waits, by where it came from. Each source has its turn, however much another has waiting; within a source, first come first served. */
export class FairQueue<T> {
  /** In the order of their next turn. */
  private readonly bySource = new Map<string, Set<T>>();
  private waiting = 0;

  get size(): number {
    return this.waiting;
  }

  of(source: string): number {
    return this.bySource.get(source)?.size ?? 0;
  }

  add(source: string, item: T): void {
    const others = this.bySource.get(source);
    if (others === undefined) this.bySource.set(source, new Set([item]));
    else others.add(item);
    this.waiting++;
  }

  delete(source: string, item: T): void {
    const items = this.bySource.get(source);
    if (items?.delete(item) !== true) return;
    this.waiting--;
    if (items.size === 0) this.bySource.delete(source);
  }

  /** The next whose source may have its turn; it stays. */
  next(mayCome: (source: string) => boolean): { readonly source: string; readonly item: T } | undefined {
    for (const [source, items] of this.bySource) {
      if (!mayCome(source)) continue;
      for (const item of items) return { source, item };
    }
    return undefined;
  }

  /** It had its turn, and its source has the last one now. */
  take(source: string, item: T): void {
    this.delete(source, item);
    const items = this.bySource.get(source);
    if (items === undefined) return;
    this.bySource.delete(source);
    this.bySource.set(source, items);
  }
}
