import type { Event } from './index.js';

/** What an event can be found by: `device:<id>`, `connection:<id>`, `credential:<fingerprint>`, `request:<id>`, `address:<address>`,
 * `source:<fingerprint>`, `incident:<id>`, `cause:<seq>`, `type:<type>`, or its subject. */
export type Term = string;

/** A data field of one of these names holds the id, or ids, of such a thing: in every event that is, and in every event that will be. */
const KIND_OF_FIELD: Readonly<Record<string, string>> = {
  connection: 'connection',
  device: 'device',
  devices: 'device',
  credential: 'credential',
  credentials: 'credential',
  requestId: 'request',
  request: 'request',
  by: 'request',
  supersedes: 'request',
  upgrade: 'request',
  source: 'source',
  sources: 'source',
  incident: 'incident',
};

/** Each term once. */
export const termsOf = (event: Event): readonly string[] => {
  const terms = new Set<Term>([`type:${event.type}`, event.subject]);
  for (const [field, value] of Object.entries(event.data)) {
    const kind = KIND_OF_FIELD[field];
    if (kind === undefined) continue;
    if (typeof value === 'string') terms.add(`${kind}:${value}`);
    else if (Array.isArray(value)) for (const id of value) terms.add(`${kind}:${id}`);
  }
  if (event.type === 'gateway.secret-rotated') {
    terms.add(`credential:${event.data.to}`);
    if (event.data.from !== undefined) terms.add(`credential:${event.data.from}`);
  }
  const { actor, cause, origin } = event;
  if (actor.kind === 'connection') {
    terms.add(`connection:${actor.connection}`);
    if (actor.device !== undefined) terms.add(`device:${actor.device}`);
    if (actor.credential !== undefined) terms.add(`credential:${actor.credential}`);
  }
  if (cause !== undefined) terms.add(`cause:${cause}`);
  if (origin?.address !== undefined) terms.add(`address:${origin.address}`);
  return [...terms];
};
