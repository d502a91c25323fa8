import type { Event } from './index.js';

/*
 * What an event can be found by: the things that it names. A term is written `device:<id>`, `connection:<id>`, `credential:<fingerprint>`,
 * `request:<id>`, `address:<address>`, `source:<fingerprint>`, `incident:<id>`, `cause:<seq>`, `type:<type>`, and `subject:<subject>` for what
 * it is about: `subject:device:<id>` finds the decisions about a device without its comings and goings.
 */

export const termKinds = [
  'type',
  'connection',
  'device',
  'credential',
  'request',
  'address',
  'source',
  'incident',
  'cause',
  'subject',
] as const;
export type TermKind = (typeof termKinds)[number];
export type Term = string;

/** A data field of one of these names holds the id, or the ids, of such a thing: in every event that is, and in every event that will be. */
const FIELDS: readonly (readonly [field: string, kind: TermKind])[] = [
  ['connection', 'connection'],
  ['device', 'device'],
  ['devices', 'device'],
  ['credential', 'credential'],
  ['credentials', 'credential'],
  ['requestId', 'request'],
  ['request', 'request'],
  ['by', 'request'],
  ['supersedes', 'request'],
  ['upgrade', 'request'],
  ['source', 'source'],
  ['sources', 'source'],
  ['incident', 'incident'],
];

/** Tells each thing that an event names, perhaps more than once. Every event that is recorded comes through here. */
export const eachTerm = (event: Event, tell: (kind: TermKind, id: string | number) => void): void => {
  const { type, subject, actor, cause, origin } = event;
  tell('type', type);
  /* A connection is found by its name: what is about it is most of what names it. */
  if (!subject.startsWith('connection:')) tell('subject', subject);
  const data = event.data as Readonly<Record<string, unknown>>;
  for (const [field, kind] of FIELDS) {
    const value = data[field];
    if (typeof value === 'string') tell(kind, value);
    else if (Array.isArray(value)) for (const id of value) tell(kind, id);
  }
  if (type === 'gateway.secret-rotated') {
    tell('credential', event.data.to);
    if (event.data.from !== undefined) tell('credential', event.data.from);
  }
  if (actor.kind === 'connection') {
    tell('connection', actor.connection);
    if (actor.device !== undefined) tell('device', actor.device);
    if (actor.credential !== undefined) tell('credential', actor.credential);
  }
  /* A connection that closed by itself is found by its name. */
  const closedItself = type === 'connection.closed' && actor.kind === 'connection';
  if (cause !== undefined && !closedItself) tell('cause', cause);
  if (origin?.address !== undefined) tell('address', origin.address);
};

const termOf = (kind: TermKind, id: string | number): Term => `${kind}:${id}`;

/** The kind of a term and what it names. */
export const partsOf = (term: Term): readonly [kind: TermKind, id: string] => {
  const at = term.indexOf(':');
  const kind = termKinds.find((name) => name === term.slice(0, at));
  if (kind === undefined) throw new Error(`no term begins with ${term.slice(0, at)}`);
  return [kind, term.slice(at + 1)];
};

/** Each term once. */
export const termsOf = (event: Event): ReadonlySet<Term> => {
  const terms = new Set<Term>();
  eachTerm(event, (kind, id) => terms.add(termOf(kind, id)));
  return terms;
};
