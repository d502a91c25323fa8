import { type Audit, audit } from './audit.js';
import { type Damage, DamagedEvent, type SegmentUnreadable } from './damage.js';
import { Reader } from './reader.js';
import { rebuild } from './rebuild.js';
import type { Store } from './store.js';
import { plant, Tree } from './tree.js';

/** What a ledger is opened with. */
export interface Opened extends Audit {
  readonly tree: Tree;
}

/**
 * The audit of a start; and what an older program has left is brought up to what this one keeps. A file of the archive that cannot be read
 * keeps nobody from starting: no decision is in it. Throws LedgerDamaged.
 */
export const audited = (store: Store): Opened => {
  const unreadable = new Map<number, SegmentUnreadable>();
  const passOver = (damage: Damage): void => {
    if (damage instanceof DamagedEvent) throw damage;
    unreadable.set(damage.from, damage);
  };
  const reader = new Reader(() => store, passOver).byLogAlone;
  const found = store.exclusively(() => audit(store, reader));
  for (const damage of found.unreadable) unreadable.set(damage.from, damage);
  if (found.outdated.length > 0 || !store.exclusively(() => store.viewsReadable())) rebuild(store, reader);
  const rebuilt = store.exclusively(() => store.position()) ?? found.position;
  const position = rebuilt.root === undefined ? plant(store, reader, rebuilt) : rebuilt;
  const tree = store.exclusively(() => Tree.at(position, store));
  return { ...found, position, tree, unreadable: [...unreadable.values()] };
};
