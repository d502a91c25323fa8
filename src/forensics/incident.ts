import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Event, EventOf } from '../../events/index.js';
import { type Refusal, refusal } from '../errors.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { type Person, personOf } from './people.js';

/** One thing that was done about a leak, and the sessions that it closed. */
export interface Measure extends Place {
  readonly type: Event['type'];
  readonly about: string;
  readonly credential?: string | undefined;
  readonly closed: readonly (Place & { readonly connection: string; readonly device?: string | undefined })[];
}

export interface Incident {
  readonly incident: string;
  readonly by: Person;
  readonly opened: Place;
  readonly closed?: (Place & EventOf<'gateway.incident-closed'>['data']) | undefined;
  readonly planned: EventOf<'gateway.incident-opened'>['data'];
  readonly measures: readonly Measure[];
}

/** What was done about a leak, event by event. Without a closing event it was cut short, and can be run again. */
export const incident = (id: string, evidence: Evidence): Either<Refusal, Incident> => {
  const { log } = evidence;
  const events = [...log.query({ terms: [`incident:${id}`] })];
  const opened = events.find((event) => event.type === 'gateway.incident-opened');
  const closed = events.find((event) => event.type === 'gateway.incident-closed');
  if (opened?.type !== 'gateway.incident-opened')
    return E.left(
      refusal('unknown-id', `no incident of that id; openclaw audit log --type gateway.incident-opened shows them`),
    );
  return E.right({
    incident: id,
    by: personOf(opened, evidence),
    opened: placeOf(opened),
    closed: closed?.type === 'gateway.incident-closed' ? { ...placeOf(closed), ...closed.data } : undefined,
    planned: opened.data,
    measures: [...log.query({ terms: [`cause:${opened.seq}`] })].map((event) => measureOf(event, log)),
  });
};

const measureOf = (event: Event, log: Evidence['log']): Measure => ({
  ...placeOf(event),
  type: event.type,
  about: event.subject,
  credential:
    'credential' in event.data && typeof event.data.credential === 'string' ? event.data.credential : undefined,
  closed: [...log.query({ terms: [`cause:${event.seq}`, 'type:connection.closed'] })].flatMap((end) =>
    end.type === 'connection.closed'
      ? [{ ...placeOf(end), connection: end.data.connection, device: end.data.device }]
      : [],
  ),
});
