import { hash } from 'node:crypto';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { catalogue, decodeEvent, type Event, type Fact, Origin } from '../../events/index.js';
import { limits } from '../limits.js';
import type { Entropy } from '../ports.js';

/** An event with the exact bytes that are stored, and beside them those of its personal data. */
export interface Stamped {
  readonly event: Event;
  readonly bytes: Buffer;
  readonly origin?: Buffer | undefined;
}

export class EventTooLarge extends Error {
  override readonly name = 'EventTooLarge';
}

const SALT_BYTES = 16;

/** Numbers of facts of the same decision that came before: the first of them and the last. */
export interface Before {
  readonly first: number;
  readonly previous: number;
}

/** Gives a fact its place. */
export const stamp = (fact: Fact, seq: number, at: number, before: Before | undefined, entropy: Entropy): Stamped => {
  const origin = sealed(fact.origin, entropy);
  const cause = typeof fact.cause === 'string' ? before?.[fact.cause] : fact.cause;
  const { type, subject, actor, data } = fact;
  const { v } = catalogue[type];
  const text = JSON.stringify({ seq, at, type, v, subject, actor, cause, data, origin: origin?.hash });
  const bytes = Buffer.from(text);
  if (bytes.length > limits.ledger.eventBytes) throw new EventTooLarge(`${type} of ${bytes.length} bytes`);
  const event = {
    seq,
    at,
    type,
    v,
    subject,
    actor,
    cause,
    data,
    origin: origin?.data,
    originHash: origin?.hash,
  } as Event;
  return { event, bytes, origin: origin?.bytes };
};

interface Sealed {
  readonly data: Origin;
  readonly bytes: Buffer;
  readonly hash: string;
}

/** salt ‖ JSON, and its SHA-256: the hash alone tells nothing about an address or a name that could be guessed. */
const sealed = (origin: Origin | undefined, entropy: Entropy): Sealed | undefined => {
  if (origin === undefined) return undefined;
  const text = JSON.stringify(origin);
  if (text === '{}') return undefined;
  const bytes = Buffer.concat([entropy.bytes(SALT_BYTES), Buffer.from(text)]);
  return { data: origin, bytes, hash: digest(bytes) };
};

const digest = (bytes: Buffer): string => hash('sha256', bytes, 'hex');

/** Reads stored bytes back. The left says what is wrong, never what was found. */
export const unstamp = (bytes: Buffer, seq: number, originBytes: Buffer | undefined): Either<string, Event> => {
  const stored = parsed(bytes);
  if (E.isLeft(stored)) return stored;
  const origin = originBytes === undefined ? E.right(undefined) : unsealed(originBytes);
  if (E.isLeft(origin)) return origin;
  const event = decodeEvent(stored.right, origin.right);
  if (E.isLeft(event)) return event;
  if (event.right.seq !== seq) return E.left('its number is not that of its place');
  if (originBytes !== undefined && event.right.originHash !== digest(originBytes))
    return E.left('its personal data is not what was recorded');
  return event;
};

/** The data of stored bytes, which are not compared with what the event recorded. */
export const unsealed = (bytes: Buffer): Either<string, Origin> => {
  const data = parsed(bytes.subarray(SALT_BYTES));
  return E.isRight(data) && Origin.is(data.right) ? E.right(data.right) : E.left('its personal data cannot be read');
};

const parsed = (bytes: Buffer): Either<string, unknown> =>
  E.tryCatch(
    () => JSON.parse(bytes.toString()) as unknown,
    () => 'it is not JSON',
  );
