import * as t from 'io-ts';
import { anyText, anything, type Codec, closed, flag, integer, listOf, mapOf, oneOf, text } from '../../src/codec.js';

/* Frames that a gateway of protocol 3 sends. Every frame of the recordings fits (transcripts.test.ts), so ours must too. */

const ms = integer(0);
const texts = listOf(anyText());

/** One of several shapes, told apart by whether they fit. */
const either = <A, B>(a: Codec<A>, b: Codec<B>): Codec<A | B> =>
  new t.Type<A | B, A | B, unknown>(
    'either',
    (u): u is A | B => a.is(u) || b.is(u),
    (u, context) => (b.is(u) ? t.success(u) : a.validate(u, context)),
    t.identity,
  );

const exactly = <V extends boolean | null>(value: V): Codec<V> =>
  new t.Type<V, V, unknown>(
    String(value),
    (u): u is V => u === value,
    (u, context) => (u === value ? t.success(value) : t.failure(u, context, 'must be equal to constant')),
    t.identity,
  );

const error = closed({ code: text(), message: text() }, { details: anything, retryable: flag, retryAfterMs: ms });

const presence = listOf(
  closed(
    { ts: ms },
    {
      host: anyText(),
      ip: anyText(),
      version: anyText(),
      platform: anyText(),
      deviceFamily: anyText(),
      modelIdentifier: anyText(),
      mode: anyText(),
      lastInputSeconds: ms,
      reason: anyText(),
      tags: texts,
      text: anyText(),
      deviceId: anyText(),
      roles: texts,
      scopes: texts,
      instanceId: anyText(),
    },
  ),
);

const stateVersion = closed({ presence: ms, health: ms }, {});

const helloOk = closed(
  {
    type: oneOf(['hello-ok']),
    protocol: integer(3, 3),
    server: closed({ version: text(), connId: text() }, {}),
    features: closed({ methods: listOf(text()), events: listOf(text()) }, {}),
    snapshot: closed(
      { presence, health: mapOf(anything), stateVersion, uptimeMs: ms, authMode: text() },
      {
        configPath: text(),
        stateDir: text(),
        sessionDefaults: closed({ defaultAgentId: text(), mainKey: text(), mainSessionKey: text(), scope: text() }, {}),
        updateAvailable: anything,
      },
    ),
    policy: closed({ maxPayload: integer(1), maxBufferedBytes: integer(1), tickIntervalMs: integer(1) }, {}),
  },
  { canvasHostUrl: text(), auth: closed({ deviceToken: text(), role: text(), scopes: texts, issuedAtMs: ms }, {}) },
);

const success = closed({ type: oneOf(['res']), id: text(), ok: exactly(true) }, { payload: anything });
const hello = closed({ type: oneOf(['res']), id: text(), ok: exactly(true), payload: helloOk }, {});
const refusal = closed({ type: oneOf(['res']), id: text(), ok: exactly(false), error }, {});

const pairRequested = closed(
  {
    requestId: text(),
    deviceId: text(),
    publicKey: text(),
    role: text(),
    roles: texts,
    scopes: texts,
    silent: flag,
    isRepair: flag,
    ts: ms,
  },
  {
    displayName: text(),
    platform: text(),
    deviceFamily: text(),
    clientId: text(),
    clientMode: text(),
    remoteIp: text(),
  },
);
const pairResolved = closed(
  { requestId: text(), deviceId: text(), decision: oneOf(['approved', 'rejected']), ts: ms },
  {},
);

const eventOf = (name: string, payload: t.Any) =>
  closed({ type: oneOf(['event']), event: oneOf([name]), payload }, { seq: ms, stateVersion });

const EVENTS: Readonly<Record<string, t.Any>> = {
  'connect.challenge': closed({ nonce: text(), ts: ms }, {}),
  tick: closed({ ts: ms }, {}),
  health: mapOf(anything),
  presence: closed({ presence }, {}),
  shutdown: closed({ reason: text(), restartExpectedMs: either(exactly(null), ms) }, {}),
  'device.pair.requested': pairRequested,
  'device.pair.resolved': pairResolved,
  'node.pair.requested': mapOf(anything),
  'node.pair.resolved': mapOf(anything),
  'node.invoke.request': mapOf(anything),
  'exec.approval.requested': mapOf(anything),
  'exec.approval.resolved': mapOf(anything),
  'voicewake.changed': closed({ triggers: texts }, {}),
};

/** A frame by what it says it is. */
const shapeOf = (frame: {
  readonly type?: unknown;
  readonly ok?: unknown;
  readonly event?: unknown;
  readonly payload?: { readonly type?: unknown };
}): t.Any => {
  if (frame.type === 'event')
    return eventOf(
      String(frame.event),
      EVENTS[String(frame.event)] ?? closed({ 'an event of protocol 3': anything }, {}),
    );
  if (frame.ok !== true) return refusal;
  return frame.payload?.type === 'hello-ok' ? hello : success;
};

export const V3Frame: Codec<unknown> = new t.Type<unknown, unknown, unknown>(
  'V3Frame',
  (u): u is unknown => typeof u === 'object' && u !== null && shapeOf(u).is(u),
  (u, context) =>
    typeof u === 'object' && u !== null ? shapeOf(u).validate(u, context) : t.failure(u, context, 'must be object'),
  t.identity,
);
