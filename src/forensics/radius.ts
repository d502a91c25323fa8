import type { Event, Role } from '../../events/index.js';
import type { Step } from '../decisions/contain.js';
import type { Place } from './evidence.js';
import type { Stretch } from './moments.js';
import type { Person } from './people.js';

/* What a leak touched: a tree, kept flat. Branches name the act that grew them, so that a chain of any length is a list. */

/** What is in other hands. */
export interface Leak {
  /** By its fingerprint. Either this or a device. */
  readonly credential?: string | undefined;
  /** A device that was lost, with its key and all that it holds. */
  readonly device?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Devices that somebody vouches for: neither their connections nor their pairing are followed. */
  readonly keep?: readonly string[] | undefined;
}

/** Connections of one device from one address. */
export interface Use {
  readonly device?: string | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly connections: number;
  /** It was turned away all the same. */
  readonly refused: number;
  readonly first: Place;
  readonly last: Place;
  readonly scopes: readonly string[];
  /** Fingerprints of the device tokens it was told. */
  readonly told: readonly string[];
}

/** Something that was done. */
export interface Act extends Place {
  readonly type: Event['type'];
  readonly about: string;
  readonly requestId?: string | undefined;
  readonly connection?: string | undefined;
  /** Place in `branches` of the device that it let in. */
  readonly branch?: number | undefined;
}

export interface Token extends Place {
  readonly device: string;
  readonly credential: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly how: 'issued' | 'rotated' | 'told';
  readonly alive: boolean;
  readonly endedBy?: number | undefined;
}

/** A device that is in because of an act in the tree. */
export interface Branch {
  readonly device: string;
  readonly name?: string | undefined;
  /** It asked with the leaked credential, or somebody in the tree said yes to it. `widened`: it was in before, and got more; what it did is its own. */
  readonly because: 'asked' | 'approved' | 'widened';
  readonly approved: Place;
  readonly by: Person;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly paired: boolean;
  readonly tokens: readonly Token[];
  readonly uses: readonly Use[];
  readonly acts: readonly Act[];
}

export interface BlastRadius {
  readonly credential?: string | undefined;
  readonly device?: string | undefined;
  readonly kind: 'secret' | 'device-token' | 'device' | 'unknown';
  readonly name?: string | undefined;
  /** Of a device token: whose, and for what. */
  readonly holder?: { readonly device: string; readonly name?: string | undefined; readonly role: Role } | undefined;
  /** The event that made it valid, and the one that ended it. */
  readonly issued?: number | undefined;
  readonly endedBy?: number | undefined;
  readonly stretch: Stretch;
  readonly uses: readonly Use[];
  readonly acts: readonly Act[];
  readonly branches: readonly Branch[];
  /** Tokens that whoever had it was told, or had issued, for a device that was in before. */
  readonly tokens: readonly Token[];
  readonly counts: {
    readonly connections: number;
    readonly refused: number;
    /** Sessions that are open now: by the credential itself, and of the devices that it let in. */
    readonly open: number;
    readonly openBelow: number;
    readonly acts: number;
    readonly devices: number;
    readonly tokens: number;
  };
  readonly first?: Place | undefined;
  readonly last?: Place | undefined;
  readonly addresses: readonly string[];
  readonly devices: readonly string[];
  readonly kept: readonly string[];
  readonly plan: readonly Step[];
  /** The numbers of the events that make up the tree. */
  readonly events: readonly number[];
}
