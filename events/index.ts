import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import { canvasEvents } from './canvas.js';
import { connectionEvents } from './connection.js';
import { type Actor, Envelope, type Kind, type Origin } from './envelope.js';
import { execEvents } from './exec.js';
import { gatewayEvents } from './gateway.js';
import { healthEvents } from './health.js';
import { logEvents } from './log.js';
import { nodeEvents } from './node.js';
import { pairingEvents } from './pairing.js';
import { tokenEvents } from './token.js';

export { type Actor, type Method, Origin, type Role, subjectOf } from './envelope.js';
export type { Client, Need } from './pairing.js';
export { isInRanges, numbersIn, rangesIn, rangesOf } from './ranges.js';
export { eachTerm, partsOf, type Term, type TermKind, termKinds, termsOf } from './terms.js';

/** Everything that can have happened. A fact of another kind does not exist. */
export const catalogue = {
  ...gatewayEvents,
  ...pairingEvents,
  ...tokenEvents,
  ...connectionEvents,
  ...nodeEvents,
  ...execEvents,
  ...canvasEvents,
  ...healthEvents,
  ...logEvents,
};

export type EventType = keyof typeof catalogue;
export type DataOf<T extends EventType> = t.TypeOf<(typeof catalogue)[T]['data']>;

/** What a decision says shall have happened. `'previous'`, `'first'`: caused by the fact before it, or the first, in the same decision. */
export type FactOf<T extends EventType> = {
  readonly type: T;
  readonly subject: string;
  readonly actor: Actor;
  readonly cause?: number | 'previous' | 'first' | undefined;
  readonly data: DataOf<T>;
  readonly origin?: Origin | undefined;
};
export type Fact = { [T in EventType]: FactOf<T> }[EventType];

/** A fact with its place in the log: `seq` from 1 without gaps, `at` in ms and never earlier than the event before. */
export type EventOf<T extends EventType> = Omit<FactOf<T>, 'cause'> & {
  readonly seq: number;
  readonly at: number;
  readonly v: number;
  readonly cause?: number | undefined;
  /** Hash of the personal data, in hex. It stays when `origin` has been erased. */
  readonly originHash?: string | undefined;
};
export type Event = { [T in EventType]: EventOf<T> }[EventType];

/** What the log itself says of an event: all but the personal data, which lie beside it and may be erased. */
export type Impersonal = { [T in EventType]: Omit<EventOf<T>, 'origin'> }[EventType];

/** It had personal data, and has none any more. */
export const isErased = ({ origin, originHash }: Event): boolean => originHash !== undefined && origin === undefined;

export const isEventType = (type: string): type is EventType => Object.hasOwn(catalogue, type);

/** Lifts stored data of version `v` to the version this code knows, one step at a time, and checks its shape. */
export const lifted = <D>(kind: Kind<D>, v: number, data: Record<string, unknown>): Either<string, D> => {
  if (v > kind.v) return E.left(`written by a newer version of this program (schema ${v}, known ${kind.v})`);
  const current = kind.lift.slice(v - 1).reduce((older, lift) => lift(older), data);
  const checked = kind.data.decode(current);
  return E.isRight(checked) ? checked : E.left(`its data does not fit its type`);
};

/** Reads a stored event. The left says what is wrong with it, never what it holds. */
export const decodeEvent = (stored: unknown, origin: Origin | undefined): Either<string, Event> => {
  const envelope = Envelope.decode(stored);
  if (E.isLeft(envelope)) return E.left('it is not an event envelope');
  const { type, v, data, origin: originHash, ...rest } = envelope.right;
  if (!isEventType(type)) return E.left(`it is of a type this program does not know`);
  const known = lifted<unknown>(catalogue[type] as Kind<unknown>, v, data);
  if (E.isLeft(known)) return known;
  return E.right({ ...rest, type, v, data: known.right, origin, originHash } as Event);
};
