import * as t from 'io-ts';

/*
 * Rules of the stored form, which outlives every version of this code:
 *  - the bytes of an event are written once and never rewritten; a later version lifts older data on read (`Kind.lift`);
 *  - a new field is optional; a field is never renamed, retyped or reused; an unset field adds no bytes;
 *  - no floating point, no secret, nothing personal outside `origin`;
 *  - text from outside is capped and stripped before it gets here.
 */

/** A safe integer. Counts, sequence numbers, and times in milliseconds since the epoch. */
export const Int = new t.Type<number>(
  'Int',
  (u): u is number => Number.isSafeInteger(u),
  (u, context) => (Number.isSafeInteger(u) ? t.success(u as number) : t.failure(u, context)),
  t.identity,
);

/** How a connection proved itself. `host-proof`: it came through the socket inside the 0700 state folder. */
export const Method = t.keyof({ token: null, password: null, none: null, 'device-token': null, 'host-proof': null });
export type Method = t.TypeOf<typeof Method>;

export const Role = t.keyof({ operator: null, node: null });
export type Role = t.TypeOf<typeof Role>;

/** An object of required and optional fields; fields it does not know are dropped on read. */
export const fields = <R extends t.Props, O extends t.Props>(required: R, optional: O) =>
  t.exact(t.intersection([t.type(required), t.partial(optional)]));

export const Texts = t.array(t.string);

/** Who caused an event. Made by the server from what it verified, never from what a client says of itself. */
export const Actor = t.union([
  /** The gateway itself, by a named rule. */
  t.type({ kind: t.literal('gateway'), rule: t.string }),
  /** A person or program on a connection. `scopes` are the ones in force, kept so that a later rule can judge the act again. */
  fields(
    { kind: t.literal('connection'), connection: t.string },
    { method: Method, role: Role, device: t.string, credential: t.string, scopes: Texts },
  ),
  /** The owner of the state folder at the command line while the gateway is down; the OS user is in `origin`. */
  t.type({ kind: t.literal('host') }),
]);
export type Actor = t.TypeOf<typeof Actor>;

/**
 * Personal data of an event: kept beside the log under its sequence number, and only its salted hash inside, so that it
 * can be erased without touching the log.
 */
export const Origin = t.exact(
  t.partial({
    address: t.string,
    displayName: t.string,
    label: t.string,
    userAgent: t.string,
    host: t.string,
    browserOrigin: t.string,
    forwardedFor: t.string,
    osUser: t.string,
  }),
);
export type Origin = t.TypeOf<typeof Origin>;

/** What every event has around its data. `origin` here is the hash of the personal data, in hex. */
export const Envelope = fields(
  { seq: Int, at: Int, type: t.string, v: Int, subject: t.string, actor: Actor, data: t.UnknownRecord },
  { cause: Int, origin: t.string },
);

/** One kind of event: its schema version, its data, and for each older version the function that lifts it to the next. */
export interface Kind<D> {
  readonly v: number;
  readonly data: t.Type<D>;
  readonly lift: readonly ((older: Record<string, unknown>) => Record<string, unknown>)[];
}

export const kind = <D>(data: t.Type<D>, lift: Kind<D>['lift'] = []): Kind<D> => ({ v: lift.length + 1, data, lift });

export const subjectOf = {
  gateway: 'gateway',
  device: (id: string) => `device:${id}`,
  connection: (id: string) => `connection:${id}`,
  source: (fingerprint: string) => `source:${fingerprint}`,
} as const;
