import * as t from 'io-ts';
import { fields, Int, kind, Method, Role, Texts } from './envelope.js';
import { Client } from './pairing.js';

/**
 * Somebody is in. `asked` is what the client wanted, `scopes` what binds the session: requested ∩ granted. `credential` is the
 * fingerprint of what it showed, `token` the device token it was given in the answer, `rule` why it needed no pairing.
 */
const Accepted = fields(
  {
    connection: t.string,
    boot: t.string,
    worker: Int,
    role: Role,
    asked: Texts,
    scopes: Texts,
    method: Method,
    protocol: Int,
    client: Client,
    local: t.boolean,
  },
  {
    device: t.string,
    credential: t.string,
    token: t.string,
    rule: t.string,
    instanceId: t.string,
    caps: Texts,
    commands: Texts,
    upgrade: t.string,
  },
);

/** Somebody was turned away. `reason` is the code of the refusal, `close` what we closed with, `clientClose` what they did. */
const Refused = fields(
  { connection: t.string, boot: t.string, reason: t.string, close: t.exact(t.type({ code: Int, reason: t.string })) },
  {
    device: t.string,
    role: t.string,
    credential: t.string,
    client: Client,
    source: t.string,
    /** The request it was told to wait for. */
    requestId: t.string,
    clientClose: t.exact(t.type({ code: Int, reason: t.string })),
  },
);

const Closed = fields(
  { connection: t.string, boot: t.string, worker: Int, code: Int, reason: t.string, durationMs: Int },
  { device: t.string },
);

/** Refusals beyond the budget, counted: what a flood leaves in the log. */
const RefusalsSummarised = t.exact(
  t.type({
    boot: t.string,
    from: Int,
    to: Int,
    total: Int,
    reasons: t.record(t.string, Int),
    sources: Texts,
    devices: Texts,
    credentials: Texts,
  }),
);

/** Too many wrong credentials from one source: nothing from it is heard before `until` (ms), right or wrong. */
const SourceLocked = t.exact(t.type({ source: t.string, scope: t.string, failures: Int, until: Int }));

export const connectionEvents = {
  'connection.accepted': kind(Accepted),
  'connection.refused': kind(Refused),
  'connection.closed': kind(Closed),
  'connection.refusals-summarised': kind(RefusalsSummarised),
  'source.locked': kind(SourceLocked),
};
