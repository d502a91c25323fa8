import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { catalogue, type Event, isEventType, type Term } from '../../events/index.js';
import { canonical } from '../addresses.js';
import { type Refusal, refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Evidence } from './evidence.js';
import { stretchOf } from './moments.js';
import { identified } from './near.js';

/** What to look for in the log. All that are given must fit. */
export interface Search {
  readonly device?: string | undefined;
  /** Whoever did it: a device, a connection, a credential, `host`, `gateway`, or the rule of the gateway. */
  readonly actor?: string | undefined;
  readonly credential?: string | undefined;
  readonly connection?: string | undefined;
  readonly request?: string | undefined;
  readonly address?: string | undefined;
  /** One type, or a family: `pairing`. */
  readonly type?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Only events after this number, from the first on; without it the last that fit. */
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
}

export interface Found {
  /** In log order. */
  readonly events: readonly Event[];
  /** There are more: earlier ones, or with `after` later ones. */
  readonly more: boolean;
}

const LIMIT = 100;

export const search = (said: Search, evidence: Evidence): Either<Refusal, Found> =>
  E.flatMap((wanted: Search) => searchFor(wanted, evidence))(named(said, evidence));

/** The same with whole ids. */
const named = (said: Search, evidence: Evidence): Either<Refusal, Search> => {
  let wanted = said;
  for (const kind of ['device', 'credential', 'connection', 'request'] as const) {
    const id = said[kind];
    if (id === undefined) continue;
    const known = identified(kind, id, evidence);
    if (E.isLeft(known)) return known;
    wanted = { ...wanted, [kind]: known.right };
  }
  return E.right(wanted);
};

const searchFor = (wanted: Search, evidence: Evidence): Either<Refusal, Found> => {
  const { limit = LIMIT, after, type } = wanted;
  const refused = refusedType(type);
  if (refused !== undefined) return E.left(refused);
  const stretch = stretchOf(wanted, evidence);
  if (E.isLeft(stretch)) return stretch;
  const most = Math.min(limit, limits.forensics.page);
  const range = { terms: termsOf(wanted), after: Math.max(after ?? 0, stretch.right.after), upTo: stretch.right.upTo };
  const { log } = evidence;
  const events: Event[] = [];
  let more = false;
  for (const event of after === undefined ? log.backwards(range) : log.query(range)) {
    if (!fits(event, wanted)) continue;
    more = events.length === most;
    if (more) break;
    events.push(event);
  }
  return E.right({ events: after === undefined ? events.reverse() : events, more });
};

const isFamily = (type: string): boolean => Object.keys(catalogue).some((name) => name.startsWith(`${type}.`));

const refusedType = (type: string | undefined): Refusal | undefined => {
  if (type === undefined || isEventType(type) || isFamily(type)) return undefined;
  const known = Object.keys(catalogue);
  const near = known.filter((name) => name.startsWith(type.split('.')[0] ?? ''));
  return refusal('unknown-id', `unknown event type; there are: ${(near.length > 0 ? near : known).join(', ')}`);
};

const termsOf = ({ device, credential, connection, request, address, type }: Search): readonly Term[] => [
  ...(device === undefined ? [] : [`device:${device}`]),
  ...(credential === undefined ? [] : [`credential:${credential}`]),
  ...(connection === undefined ? [] : [`connection:${connection}`]),
  ...(request === undefined ? [] : [`request:${request}`]),
  ...(address === undefined ? [] : [`address:${canonical(address)}`]),
  ...(type === undefined || !isEventType(type) ? [] : [`type:${type}`]),
];

const fits = (event: Event, { type, actor }: Search): boolean =>
  (type === undefined || event.type === type || event.type.startsWith(`${type}.`)) &&
  (actor === undefined || isBy(event, actor));

const isBy = ({ actor, origin }: Event, who: string): boolean => {
  switch (actor.kind) {
    case 'host':
      return who === 'host' || origin?.osUser === who;
    case 'gateway':
      return who === 'gateway' || actor.rule === who;
    case 'connection':
      return [actor.device, actor.connection, actor.credential, actor.method].includes(who);
  }
};
