import { LRUCache } from 'lru-cache';
import type { Event, EventOf } from '../../events/index.js';
import type { Evidence } from './evidence.js';
import type { Stretch } from './moments.js';

/*
 * What bears the mark of a credential, in one pass: half of a long log may, and next to nothing of it is kept. A connect puts what it brings
 * about on the record before its acceptance, so acts of a connection that was not met yet wait, in their order, for the next event of
 * another one; by then its acceptance has come, or is looked for in the index.
 */

/** Something that a connection did. */
export type Done = Event & { readonly actor: { readonly kind: 'connection' } };

/** Connections of which it is remembered whether they count; of others the index is asked again. */
const REMEMBERED = 10_000;

/** One connect brings about less than this. */
const HELD = 16;

/**
 * Connections let in or refused that showed a credential in a stretch, who asked with it then, and all that those who were let in did, also
 * later. Nothing of devices in `kept`.
 */
export function* byCredential(
  credential: string,
  { after, upTo }: Stretch,
  kept: ReadonlySet<string>,
  { log, upTo: end }: Evidence,
): Iterable<EventOf<'connection.accepted'> | EventOf<'connection.refused'> | Done> {
  const mark = `credential:${credential}`;
  const counts = ({ seq, data }: Event): boolean => seq <= upTo && !isOf(kept, data);
  const asks = (event: Event): boolean => event.type === 'pairing.requested' && counts(event);

  const known = new LRUCache<string, boolean>({ max: REMEMBERED });
  const isInside = (connection: string): boolean => {
    const terms = [`connection:${connection}`, 'type:connection.accepted', mark];
    const inside = known.get(connection) ?? some(log.query({ terms, after, upTo }), counts);
    known.set(connection, inside);
    return inside;
  };

  const held: Done[] = [];
  const released = (): readonly Done[] => held.splice(0).filter((act) => asks(act) || isInside(act.actor.connection));

  for (const event of log.query({ terms: [mark], after, upTo: end })) {
    if (event.type === 'connection.accepted' || event.type === 'connection.refused') {
      if (event.type === 'connection.accepted') known.set(event.data.connection, counts(event));
      yield* released();
      if (event.data.credential === credential && counts(event)) yield event;
    } else if (isAct(event) && event.actor.credential === credential) {
      const { connection } = event.actor;
      if (held[0]?.actor.connection !== connection || held.length >= HELD) yield* released();
      held.push(event);
      if (known.has(connection)) yield* released();
    }
  }
  yield* released();
}

/** Not a coming or going, a look, or what another act brings about. */
export const isAct = (event: Event): event is Done =>
  event.actor.kind === 'connection' &&
  event.type !== 'token.retired' &&
  event.type !== 'log.read' &&
  !event.type.startsWith('connection.');

const isOf = (devices: ReadonlySet<string>, data: Event['data']): boolean =>
  'device' in data && data.device !== undefined && devices.has(data.device);

const some = <T>(all: Iterable<T>, fits: (one: T) => boolean): boolean => {
  for (const one of all) if (fits(one)) return true;
  return false;
};
