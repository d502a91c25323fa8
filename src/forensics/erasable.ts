import { isIP } from 'node:net';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Event, type EventOf, type EventType, type Origin, rangesOf, type Term } from '../../events/index.js';
import { canonical } from '../addresses.js';
import type { Erased } from '../decisions/erase.js';
import { type Refusal, refusal } from '../errors.js';
import type { Evidence } from './evidence.js';
import { identified } from './near.js';

/** What an erasure of this subject would take. */
export interface Erasable {
  readonly subject: Erased;
  readonly events: number;
  /** Which, as ranges. */
  readonly numbers: string;
  readonly types: readonly {
    readonly type: EventType;
    readonly events: number;
    /** How many of them hold which personal data. */
    readonly holds: { readonly [F in keyof Origin]?: number };
  }[];
}

/** What is known of the people behind a subject: `device:<id>`, `connection:<id>`, `request:<id>` or `address:<address>`. */
export const erasable = (said: string, evidence: Evidence): Either<Refusal, Erasable> =>
  E.map((subject: Found) => counted(subject.is, eventsOf(subject, evidence)))(subjectIn(said, evidence));

/** A subject, and the address if it is one. */
interface Found {
  readonly is: Erased;
  readonly address?: string;
}

const subjectIn = (said: string, evidence: Evidence): Either<Refusal, Found> => {
  const at = said.indexOf(':');
  const [kind, id] = [said.slice(0, at), said.slice(at + 1).trim()];
  switch (kind) {
    case 'device':
      return E.map((device: string): Found => ({ is: { of: kind, device } }))(identified(kind, id, evidence));
    case 'connection':
      return E.map((connection: string): Found => ({ is: { of: kind, connection } }))(identified(kind, id, evidence));
    case 'request':
      return E.map((request: string): Found => ({ is: { of: kind, request, device: askerOf(request, evidence) } }))(
        identified(kind, id, evidence),
      );
    case 'address':
      return isIP(id) === 0
        ? E.left(refusal('unknown-id', `not an address: ${JSON.stringify(id.slice(0, 60))}`))
        : E.right({ is: { of: kind }, address: canonical(id) });
    default:
      return E.left(
        refusal('unknown-id', 'a subject is device:<id>, connection:<id>, request:<id> or address:<address>'),
      );
  }
};

const askerOf = (requestId: string, { log }: Evidence): string => {
  for (const event of log.query({ terms: [`request:${requestId}`, 'type:pairing.requested'] }))
    if (event.type === 'pairing.requested' && event.data.requestId === requestId) return event.data.device;
  return 'unknown';
};

/**
 * Of which the personal data are those of the client that they tell of. In all others they are of whoever decided or asked, which is the
 * record itself: it does not go because somebody else's data go.
 */
type OfClient = EventOf<
  | 'pairing.requested'
  | 'pairing.refreshed'
  | 'pairing.approved'
  | 'device.renamed'
  | 'connection.accepted'
  | 'connection.refused'
>;

const OF_CLIENT: ReadonlySet<EventType> = new Set<OfClient['type']>([
  'pairing.requested',
  'pairing.refreshed',
  'pairing.approved',
  'device.renamed',
  'connection.accepted',
  'connection.refused',
]);

const isOfClient = (event: Event): event is Event & OfClient => OF_CLIENT.has(event.type);

const eventsOf = ({ is, address }: Found, evidence: Evidence): ReadonlyMap<number, Event> => {
  const found = new Map<number, Event>();
  for (const event of evidence.log.query({ terms: [termOf(is, address)], upTo: evidence.upTo })) {
    if (event.origin === undefined || !isAbout(event, is)) continue;
    found.set(event.seq, event);
    if (is.of !== 'address') for (const copy of copiesOf(event, evidence)) found.set(copy.seq, copy);
  }
  return found;
};

const termOf = (subject: Erased, address: string | undefined): Term => {
  switch (subject.of) {
    case 'device':
      return `device:${subject.device}`;
    case 'connection':
      return `connection:${subject.connection}`;
    case 'request':
      return `request:${subject.request}`;
    case 'address':
      return `address:${address}`;
  }
};

/** Are its personal data those of the subject? */
const isAbout = (event: Event, subject: Erased): boolean => {
  if (subject.of === 'address') return true;
  if (!isOfClient(event)) return false;
  if (subject.of === 'device') return event.data.device === subject.device;
  return subject.of === 'request' || isFrom(event, subject.connection);
};

/** Does it tell of the connection itself? What a connection decided about another device tells of that device. */
const isFrom = (event: OfClient, connection: string): boolean => {
  if ('connection' in event.data) return event.data.connection === connection;
  const asks = event.type === 'pairing.requested' || event.type === 'pairing.refreshed';
  return asks && event.actor.kind === 'connection' && event.actor.connection === connection;
};

/** What was said in a request is said again where it is approved, and in a larger request that takes its place. */
function* copiesOf(event: Event, evidence: Evidence): Iterable<Event> {
  if (event.type !== 'pairing.requested') return;
  const { log, upTo } = evidence;
  const { displayName, address } = event.origin ?? {};
  for (const copy of log.query({ terms: [`cause:${event.seq}`, 'type:pairing.approved'], upTo }))
    if (copy.origin !== undefined && (copy.origin.displayName === displayName || copy.origin.address === address))
      yield copy;
  for (const copy of log.query({ terms: [`request:${event.data.requestId}`, 'type:pairing.requested'], upTo })) {
    if (copy.type !== 'pairing.requested' || copy.data.supersedes !== event.data.requestId) continue;
    if (displayName === undefined || copy.origin?.displayName !== displayName) continue;
    yield copy;
    yield* copiesOf(copy, evidence);
  }
}

const counted = (subject: Erased, found: ReadonlyMap<number, Event>): Erasable => {
  const types = new Map<EventType, { events: number; holds: { [F in keyof Origin]?: number } }>();
  for (const { type, origin = {} } of found.values()) {
    const counts = types.get(type) ?? { events: 0, holds: {} };
    types.set(type, counts);
    counts.events++;
    for (const field of Object.keys(origin) as (keyof Origin)[]) counts.holds[field] = (counts.holds[field] ?? 0) + 1;
  }
  return {
    subject,
    events: found.size,
    numbers: rangesOf([...found.keys()].sort((a, b) => a - b)),
    types: [...types].map(([type, counts]) => ({ type, ...counts })),
  };
};
