import { DamagedEvent, type SegmentUnreadable } from '../ledger/damage.js';
import { Reader } from '../ledger/reader.js';
import { check } from '../ledger/rebuild.js';
import { scan } from '../ledger/scan.js';
import { Store } from '../ledger/store.js';
import { TILE_WIDTH } from '../proof/tile.js';
import type { Damage } from './damage.js';
import type { Later, Leaf, Leaves, Source } from './source.js';

/** The folder of a ledger: one that a gateway is writing to, or a copy. It is only read. Throws LedgerDamaged. */
export const ledgerSource = (path: string): Source => {
  const store = new Store({ path, readOnly: true });
  try {
    return sourceOf(path, store);
  } catch (error) {
    void store.close();
    throw error;
  }
};

const sourceOf = (path: string, store: Store): Source => {
  const { position, checkpoint, last } = store.atOnce(() => ({
    position: store.position(),
    checkpoint: store.checkpoint(),
    last: store.extent().last,
  }));
  const size = position?.seq ?? last;
  return {
    name: `ledger ${path}`,
    checkpoint,
    size,
    root: position?.root,
    sizeIsSigned: false,
    tilesGrow: true,
    found: [...beyond(size, store)],
    leaves: () => leavesOf(store, size),
    tile: async ({ level, index }) => store.tile(level, index),
    views: () => mismatches(store),
    later: () => laterThan(size, store),
    close: () => store.close(),
  };
};

/** Events behind the last: a gateway that runs has moved on, and its position with them. */
function* beyond(size: number, store: Store): Iterable<Damage> {
  store.refresh();
  const now = store.position()?.seq ?? size;
  const { last } = store.extent();
  if (last > now) yield { class: 'leaf-inserted', from: now + 1, to: last, what: 'behind the end of the log' };
}

/** As far as the log goes by now: what lies behind that was never recorded. */
function* laterThan(size: number, store: Store): Iterable<Later> {
  store.refresh();
  yield* scan(() => store, size + 1, store.position()?.seq ?? size);
}

async function* leavesOf(store: Store, size: number): AsyncIterable<Leaves> {
  const reader = new Reader(() => store, passOver).byLogAlone;
  let leaves: (Leaf | undefined)[] = [];
  let index = 0;
  const widthOf = (at: number): number => Math.min(TILE_WIDTH, size - at * TILE_WIDTH);
  const whole = (): Leaves => ({ index, leaves, extra: 0 });
  for (const { seq, bytes, origin } of reader.appends({ upTo: size })) {
    while (seq > index * TILE_WIDTH + widthOf(index)) {
      leaves.length = widthOf(index);
      yield whole();
      leaves = [];
      index++;
    }
    leaves[(seq - 1) % TILE_WIDTH] = { bytes, origin };
  }
  for (; index * TILE_WIDTH < size; index++) {
    leaves.length = widthOf(index);
    yield whole();
    leaves = [];
  }
}

/** A row that somebody wrote, and no event, would let a device in all the same. */
const mismatches = (store: Store): readonly Damage[] =>
  check(store, new Reader(() => store)).differences.map(({ view, key, is }) => ({
    class: 'view-mismatch',
    what: `${view} ${key} is ${is}`,
  }));

/** What a segment that cannot be read has held is missing, and that is noticed. */
const passOver = (damage: DamagedEvent | SegmentUnreadable): void => {
  if (damage instanceof DamagedEvent) throw damage;
};
