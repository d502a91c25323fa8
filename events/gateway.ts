import * as t from 'io-ts';
import { fields, Int, kind, Texts } from './envelope.js';

/** The process that owns the log began to serve. A new `boot` ends every connection of the boots before it. */
const Started = fields(
  {
    boot: t.string,
    pid: Int,
    version: t.string,
    runtime: t.string,
    authMode: t.string,
    listening: Texts,
    tokenKey: t.string,
  },
  { secret: t.string },
);

const Stopped = t.exact(t.type({ boot: t.string, reason: t.string, uptimeMs: Int }));

/** A process that took connections is gone, and so are those that it had: each of them ends with this. */
const WorkerLost = t.exact(t.type({ boot: t.string, worker: Int, connections: Int, how: t.string }));

/** The shared secret is another one now; both by fingerprint. Whoever came with the old one is out. */
const SecretRotated = fields({ to: t.string, source: t.string }, { from: t.string });

/** Others have this shared secret, by fingerprint: whether it is in force or was, it is never accepted again. */
const SecretBarred = t.exact(t.type({ credential: t.string }));

/** The wall clock moved by more than the time that passed. `at` of later events never runs backwards all the same. */
const ClockJumped = t.exact(t.type({ from: Int, to: Int, byMs: Int }));

/**
 * A leaked credential, or a lost device, is being dealt with. The plan by number, and its digest: what is done of it are events of their own,
 * caused by this one. `since` and `until` (ms) are when it is believed to have been in other hands.
 */
const IncidentOpened = fields(
  { incident: t.string, secret: t.boolean, tokens: Int, devices: Int, requests: Int, plan: t.string },
  { credential: t.string, device: t.string, since: Int, until: Int, kept: Texts },
);

/** Nothing that derives from it opens the door any more. Counts of what was done and of the sessions that it closed. */
const IncidentClosed = fields(
  { incident: t.string, rounds: Int, secret: t.boolean, tokens: Int, devices: Int, requests: Int, sessions: Int },
  { credential: t.string, device: t.string },
);

export const gatewayEvents = {
  'gateway.started': kind(Started),
  'gateway.stopped': kind(Stopped),
  'gateway.worker-lost': kind(WorkerLost),
  'gateway.secret-rotated': kind(SecretRotated),
  'gateway.secret-barred': kind(SecretBarred),
  'gateway.clock-jumped': kind(ClockJumped),
  'gateway.incident-opened': kind(IncidentOpened),
  'gateway.incident-closed': kind(IncidentClosed),
};
