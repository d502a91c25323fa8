import type { Event } from '../../events/index.js';
import type { OriginOf, Views } from '../../projections/index.js';
import type { Damage } from '../ledger/damage.js';
import { Reader } from '../ledger/reader.js';
import { picturesOf } from '../ledger/rebuild.js';
import type { Store } from '../ledger/store.js';

/** What the gateway runs with and the log does not say. */
export interface Setting {
  readonly autoApproveLocal: boolean;
}

/**
 * What a question is asked of: the log up to one event, the views as they are and as they were. Read beside a gateway that runs, or from
 * a copy; nothing is ever written. Events that cannot be read are passed over, and every answer names them.
 */
export interface Evidence {
  readonly log: Reader;
  /** As they were when the question was asked. */
  readonly views: Views;
  readonly viewsAt: (seq: number) => Views;
  /** Who the rows of views are about, of any moment: as far as it is known today. */
  readonly originOf: OriginOf;
  /** The last event that the answer takes into account. */
  readonly upTo: number;
  /** Ms: what relative times count from. */
  readonly now: number;
  readonly setting: Setting;
  readonly damaged: readonly Damage[];
}

export const evidenceIn = (store: Store, now: number, setting: Setting): Evidence => {
  store.refresh();
  const damaged = new Map<string, Damage>();
  const log = new Reader(
    () => store,
    (damage) => damaged.set(damage.message, damage),
  );
  return {
    log,
    ...picturesOf(store, log),
    originOf: store.originOf,
    upTo: log.position,
    now,
    setting,
    get damaged() {
      return [...damaged.values()].sort((a, b) => firstOf(a) - firstOf(b));
    },
  };
};

const firstOf = (damage: Damage): number => ('seq' in damage ? damage.seq : damage.from);

/** A moment in the log. */
export interface Place {
  readonly seq: number;
  readonly at: number;
}

export const placeOf = ({ seq, at }: Event): Place => ({ seq, at });
