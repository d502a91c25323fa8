import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { anything, closed, decode, oneOf, rulesOf, type TypeOf, text } from '../codec.js';
import { limits } from '../limits.js';

/* Frames of the wire (protocol.md §1.2): one JSON object each, in text messages. */

const Request = closed(
  { type: oneOf(['req'], ['must be equal to constant']), id: text(limits.wire.requestIdChars), method: text() },
  { params: anything, traceparent: text(128), expectedProfileId: text() },
);
export type Request = TypeOf<typeof Request>;

/** What came instead of a request. `id`: to answer it by, if it has one. */
export interface NotARequest {
  readonly id: string;
  readonly rules: string;
}

/** JSON of a text message; undefined if it is not JSON. */
export const parseFrame = (message: string): unknown => {
  try {
    return JSON.parse(message) as unknown;
  } catch {
    return undefined;
  }
};

export const decodeRequest = (frame: unknown): Either<NotARequest, Request> => {
  const request = decode(Request, frame);
  if (E.isRight(request)) return request;
  const id = (frame as { id?: unknown } | null)?.id;
  return E.left({
    id:
      typeof id === 'string' && Object.hasOwn(frame as object, 'id') && id.length <= limits.wire.requestIdChars
        ? id
        : 'invalid',
    rules: rulesOf(request.left),
  });
};

/** An error as it travels (protocol.md §1.3). */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/** JSON that was encoded before: many answers repeat what was encoded for the one before. */
export class Encoded {
  constructor(readonly json: string) {}
}

export const encode = (payload: unknown): string =>
  payload instanceof Encoded ? payload.json : JSON.stringify(payload);

export const response = (id: string, payload: unknown): string =>
  `{"type":"res","id":${JSON.stringify(id)},"ok":true,"payload":${encode(payload)}}`;

export const failure = (id: string, error: WireError): string =>
  `{"type":"res","id":${JSON.stringify(id)},"ok":false,"error":${JSON.stringify(error)}}`;

/** Counters of what changed, beside events that clients would otherwise ask for again (protocol.md §9.1). */
export interface StateVersion {
  readonly presence: number;
  readonly health: number;
}

/** An event to one connection has no `seq`; one to many has the `seq` of its audience. */
export const event = (name: string, payload: unknown, seq?: number, stateVersion?: StateVersion): string => {
  const counted = seq === undefined ? '' : `,"seq":${seq}`;
  const versions = stateVersion === undefined ? '' : `,"stateVersion":${JSON.stringify(stateVersion)}`;
  return `{"type":"event","event":"${name}","payload":${encode(payload)}${counted}${versions}}`;
};

/** A close reason cut to what a control frame holds, at a character. */
export const closeReason = (reason: string): string => {
  const bytes = Buffer.from(reason);
  if (bytes.length <= limits.wire.closeReasonBytes) return reason;
  return new TextDecoder().decode(bytes.subarray(0, limits.wire.closeReasonBytes)).replace(/\ufffd+$/, '');
};
