import { type Completed, HASH_BYTES, leafHash, TreeEdge } from '../proof/merkle.js';
import { TILE_HEIGHT, TILE_WIDTH, type Tile } from '../proof/tile.js';
import type { Damage } from './damage.js';
import type { Leaves, Source } from './source.js';

/** A place where the events and the tree do not agree: what the tree has, and the hash of what is there. */
export interface Difference {
  readonly seq: number;
  readonly expected: Buffer | undefined;
  /** Undefined: there is nothing. */
  readonly actual: Buffer | undefined;
}

/** Places that are not told apart: they were too many, or nothing was there for so long that the rest was not looked at. */
export interface Rest {
  readonly from: number;
  readonly to: number;
  /** There is nothing in any of them. */
  readonly gone: boolean;
}

export interface Differences {
  readonly told: readonly Difference[];
  readonly rest: Rest | undefined;
}

/** Roots of the first so many events: by the events, and by the hashes that the tree has of them. */
export interface Roots {
  readonly byEvents: Buffer;
  readonly byTree: Buffer;
}

/** Places that are told apart; of a log that was shifted by one, all are others. */
const KEPT = 100_000;
/** The same of tiles. */
const TILES_KEPT = 1000;

/**
 * Hashes the events and compares them with the stored tiles, tile by tile, in memory that does not grow. Two trees grow side by side once
 * there is a difference: one of the events, and one of what the tiles say of them. What both lack is `unknown`.
 */
export class Comparison {
  readonly roots = new Map<number, Roots>();
  readonly damage: Damage[] = [];
  /** Places of which neither the event nor its hash is there. */
  unknown = 0;
  /** Bundles in a row, up to the last, of which there are neither events nor hashes. */
  blank = 0;
  private readonly differences: Difference[] = [];
  private rest: Rest | undefined;
  /** Of each level, the last tile that is missing, and the first of those beside it. */
  private readonly lastMissing: { first: number; index: number; damage: { to: number; what: string } }[] = [];
  private events = TreeEdge.of(0);
  private tree = this.events;
  private readonly above = { events: new Above(), tree: new Above() };

  /** `sizes`: of which the roots are wanted. */
  constructor(
    private readonly source: Source,
    private readonly sizes: ReadonlySet<number>,
  ) {
    this.note();
  }

  /** How many were looked at. */
  get size(): number {
    return this.events.size;
  }

  /** From one place to another. */
  between(from: number, to: number): Differences {
    const { rest } = this;
    return {
      told: this.differences.filter(({ seq }) => from <= seq && seq <= to),
      rest:
        rest && rest.from <= to && from <= rest.to
          ? { ...rest, from: Math.max(from, rest.from), to: Math.min(to, rest.to) }
          : undefined,
    };
  }

  async add({ index, leaves, extra }: Leaves): Promise<void> {
    const expected = await this.hashesOf({ level: 0, index, width: leaves.length });
    this.blank = expected === undefined && leaves.every((leaf) => leaf === undefined) ? this.blank + 1 : 0;
    const full: Tile[] = [];
    const completed: Completed = (height, place, node) => {
      const tile = this.above.tree.add(height, place, node);
      if (tile !== undefined) full.push(tile);
    };
    for (let at = 0; at < leaves.length; at++) {
      const leaf = leaves[at];
      const stored = expected?.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
      this.push(stored, leaf && leafHash(leaf.bytes), completed);
    }
    for (const tile of full) await this.checkAbove(tile);
    if (extra > 0)
      this.tell({
        class: 'leaf-inserted',
        from: this.events.size + 1,
        to: this.events.size + extra,
        what: 'behind the last event of its bundle',
      });
  }

  /** When all leaves were added that there are: the tiles above that are not full, or what was not looked at. */
  async end(): Promise<void> {
    const { size } = this.source;
    if (this.size < size) {
      this.unknown += size - this.size;
      return this.leave({ from: this.size + 1, to: size, gone: true });
    }
    for (const tile of this.above.tree.open()) await this.checkAbove(tile);
  }

  private push(stored: Buffer | undefined, actual: Buffer | undefined, completed: Completed): void {
    if (stored === undefined && actual === undefined) this.unknown++;
    if (actual === undefined || stored?.equals(actual) === false) this.differ(stored, actual);
    const hash = stored === undefined || this.tree === this.events ? (actual ?? copied(stored)) : copied(stored);
    if (this.tree !== this.events)
      this.events.push(actual ?? hash, (height, index, node) => void this.above.events.add(height, index, node));
    this.tree.push(hash, completed);
    this.note();
  }

  private differ(stored: Buffer | undefined, actual: Buffer | undefined): void {
    const seq = this.events.size + 1;
    if (this.differences.length < KEPT) this.differences.push({ seq, expected: stored && copied(stored), actual });
    else this.leave({ from: seq, to: seq, gone: actual === undefined });
    if (this.tree !== this.events || actual === undefined) return;
    this.tree = this.events.copy();
    this.above.events = this.above.tree.copy();
  }

  private leave({ from, to, gone }: Rest): void {
    const { rest } = this;
    this.rest =
      rest === undefined
        ? { from, to, gone }
        : { from: rest.from, to, gone: gone && rest.gone && rest.to === from - 1 };
  }

  private tell(damage: Damage): void {
    if (this.damage.length < TILES_KEPT) this.damage.push(damage);
  }

  private note(): void {
    const { size } = this.events;
    if (this.sizes.has(size)) this.roots.set(size, { byEvents: this.events.root(), byTree: this.tree.root() });
  }

  /** A tile above is made of those below it, or of the events where those are wrong. */
  private async checkAbove(tile: Tile): Promise<void> {
    const hashes = this.above.tree.take(tile.level);
    const byEvents = this.tree === this.events ? hashes : this.above.events.take(tile.level);
    const stored = await this.hashesOf(tile);
    if (stored === undefined || stored.equals(Buffer.concat(hashes)) || stored.equals(Buffer.concat(byEvents))) return;
    const span = TILE_WIDTH ** tile.level;
    const at = hashes.findIndex((hash, i) => !hash.equals(stored.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)));
    const first = (tile.index * TILE_WIDTH + at) * span;
    this.tell({
      class: 'tile-mismatch',
      from: first + 1,
      to: first + span,
      what: `tile ${tile.index} of level ${tile.level} is not made of those below it`,
    });
  }

  /** The hashes of a stored tile, of as many as it should have. */
  private async hashesOf(tile: Tile): Promise<Buffer | undefined> {
    const stored = await this.source.tile(tile);
    const bytes = tile.width * HASH_BYTES;
    const grown = this.source.tilesGrow && tile.width < TILE_WIDTH;
    if (stored?.length === bytes) return stored;
    if (stored !== undefined && stored.length > bytes && grown) return stored.subarray(0, bytes);
    if (stored === undefined) this.miss(tile);
    else
      this.tell({
        class: 'tile-mismatch',
        ...eventsOf(tile),
        what: `tile ${tile.index} of level ${tile.level} has ${stored.length} bytes instead of ${bytes}`,
      });
    return undefined;
  }

  /** Those that are missing side by side are one damage. */
  private miss(tile: Tile): void {
    const { level, index } = tile;
    const { from, to } = eventsOf(tile);
    const last = this.lastMissing[level];
    if (last?.index === index - 1) {
      last.index = index;
      last.damage.to = to;
      last.damage.what = `tiles ${last.first} to ${index} of level ${level} are missing`;
      return;
    }
    const damage = { class: 'tile-mismatch' as const, from, to, what: `tile ${index} of level ${level} is missing` };
    this.lastMissing[level] = { first: index, index, damage };
    this.tell(damage);
  }
}

/** The events below a tile. */
const eventsOf = ({ level, index, width }: Tile): { readonly from: number; readonly to: number } => {
  const span = TILE_WIDTH ** level;
  return { from: index * TILE_WIDTH * span + 1, to: (index * TILE_WIDTH + width) * span };
};

/** Hashes of the tiles above level 0 that are not full yet: each is the root of a whole tile below. */
class Above {
  private readonly hashes: Buffer[][] = [];
  private readonly next: number[] = [];

  /** The tile that is full with this node. */
  add(height: number, index: number, node: Buffer): Tile | undefined {
    if (height === 0 || height % TILE_HEIGHT !== 0) return undefined;
    const level = height / TILE_HEIGHT;
    const hashes = this.hashes[level] ?? [];
    this.hashes[level] = hashes;
    hashes.push(node);
    this.next[level] = Math.floor(index / TILE_WIDTH);
    return hashes.length === TILE_WIDTH ? { level, index: this.next[level] ?? 0, width: TILE_WIDTH } : undefined;
  }

  take(level: number): readonly Buffer[] {
    const hashes = this.hashes[level] ?? [];
    this.hashes[level] = [];
    return hashes;
  }

  open(): readonly Tile[] {
    return this.hashes.flatMap((hashes, level) =>
      hashes.length === 0 ? [] : [{ level, index: this.next[level] ?? 0, width: hashes.length }],
    );
  }

  copy(): Above {
    const copy = new Above();
    for (const [level, hashes] of this.hashes.entries()) {
      copy.hashes[level] = [...(hashes ?? [])];
      copy.next[level] = this.next[level] ?? 0;
    }
    return copy;
  }
}

const copied = (hash: Buffer | undefined): Buffer =>
  hash === undefined ? Buffer.alloc(HASH_BYTES) : Buffer.from(hash);
