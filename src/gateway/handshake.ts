import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Role } from '../../events/index.js';
import type { Views } from '../../projections/index.js';
import type { AuthMode } from '../config/settings.js';
import { type Keys, sameSecret } from '../credentials/keys.js';
import type { AuthReason, Shown } from '../decisions/connect.js';
import { type ConnectParams, isControlUi, isWebchat } from '../protocol/connect-params.js';
import type { ConnectRefusal } from '../protocol/connect-refusals.js';
import { faultOf } from '../protocol/device-proof.js';
import { type Dialect, negotiated } from '../protocol/dialect.js';
import type { Guesser, Limiter } from './limiter.js';
import { type OriginRules, originFault } from './origins.js';
import type { Place } from './place.js';
import type { SecretInForce } from './secret.js';
import type { SignatureBudget } from './signature-budget.js';

/*
 * What is checked before the log is asked, as a list of steps: the first that fails answers (protocol.md §3.5). A bad signature hides
 * a bad token, and a bad token hides missing pairing.
 */

/** A connect request at the door: its claims, and what the socket tells. */
export interface Knock {
  readonly params: ConnectParams;
  readonly place: Place;
  readonly origin: string;
  readonly host: string;
  readonly nonce: string;
  readonly now: number;
}

export interface Gate {
  readonly mode: AuthMode;
  readonly secret: Pick<SecretInForce, 'current'>;
  readonly origins: OriginRules;
  readonly limiter: Limiter;
  readonly signatures: SignatureBudget;
  readonly keys: Keys;
  readonly views: () => Views;
}

/** A credential as far as it has been looked at. */
type Evaluated =
  | Shown
  | {
      readonly method: 'failed';
      readonly reason: AuthReason;
      readonly credential?: string;
      readonly retryAfterMs?: number;
    };

/** What the steps have found so far. */
export interface Seen {
  readonly knock: Knock;
  readonly dialect: Dialect | undefined;
  readonly role: Role;
  readonly browser: boolean;
  readonly evaluated: Evaluated;
  /** The device, once its key has signed our challenge. */
  readonly proven?: string | undefined;
  /** The token of that device, where it is what was shown: its fingerprint, and its id. */
  readonly token?: { readonly credential: string; readonly token: string } | undefined;
}

export interface TurnedAtTheDoor {
  readonly refusal: ConnectRefusal;
  readonly seen: Seen;
}

/** Everything verified that can be without the log: what may be told to it. */
export interface Verified extends Seen {
  readonly dialect: Dialect;
  readonly evaluated: Shown;
}

type Step = (seen: Seen, gate: Gate) => Either<ConnectRefusal, Seen>;

export const examine = (knock: Knock, gate: Gate): Either<TurnedAtTheDoor, Verified> => {
  let seen: Seen = {
    knock,
    dialect: undefined,
    role: 'operator',
    browser: isBrowser(knock),
    evaluated: { method: 'failed', reason: 'token_missing' },
  };
  for (const step of STEPS) {
    const next = step(seen, gate);
    if (E.isLeft(next)) return E.left({ refusal: next.left, seen });
    seen = next.right;
  }
  return E.right(seen as Verified);
};

const commonProtocol: Step = (seen) => {
  const { minProtocol: min, maxProtocol: max } = seen.knock.params;
  const dialect = negotiated(min, max);
  return dialect === undefined ? E.left({ code: 'protocol-mismatch', min, max }) : E.right({ ...seen, dialect });
};

const knownRole: Step = (seen) => {
  const { role = 'operator' } = seen.knock.params;
  return role === 'operator' || role === 'node' ? E.right({ ...seen, role }) : E.left({ code: 'invalid-role' });
};

const allowedOrigin: Step = (seen, gate) => {
  if (!seen.browser) return E.right(seen);
  const { origin, host, place } = seen.knock;
  const why = originFault(origin, host, place.local, gate.origins);
  return why === undefined ? E.right(seen) : E.left({ code: 'origin-not-allowed', why });
};

/** Evaluated, not yet answered: a device token may still make up for it. */
const sharedCredential: Step = (seen, gate) => E.right({ ...seen, evaluated: evaluateShared(seen, gate) });

const evaluateShared = (seen: Seen, gate: Gate): Evaluated => {
  const { mode } = gate;
  const secret = gate.secret.current;
  if (seen.knock.place.hostSocket) return { method: 'host-proof' };
  if (mode === 'none') return { method: 'none' };
  const presented = presentedFor(mode, seen);
  if (secret === undefined) return { method: 'failed', reason: `${mode}_missing_config` };
  if (presented === undefined) return { method: 'failed', reason: `${mode}_missing` };
  const retryAfterMs = gate.limiter.lockedFor('shared-secret', guesserOf(seen.knock));
  if (retryAfterMs > 0) return { method: 'failed', reason: 'rate_limited', retryAfterMs };
  if (!sameSecret(presented, secret.value))
    return { method: 'failed', reason: `${mode}_mismatch`, credential: gate.keys.fingerprint(presented) };
  gate.limiter.succeeded('shared-secret', guesserOf(seen.knock));
  return { method: mode, credential: secret.credential, since: secret.since() };
};

/** In protocol 3 each mode reads its own field; a v4 client sends the secret in either. */
const presentedFor = (mode: 'token' | 'password', { dialect, knock }: Seen): string | undefined => {
  const { token, password } = knock.params.auth ?? {};
  const [own, other] = mode === 'token' ? [token, password] : [password, token];
  return own || (dialect === 4 ? other : undefined) || undefined;
};

/** Who may come without a key, and with what credential (protocol.md §5.6). */
const keyOrPolicy: Step = (seen) => {
  const { params, place } = seen.knock;
  if (params.device !== undefined || place.hostSocket) return E.right(seen);
  if (isControlUi(params)) return E.left({ code: 'control-ui-device-required' });
  if (seen.role === 'node') return E.left({ code: 'device-required' });
  const { evaluated } = seen;
  if (evaluated.method !== 'failed') return E.right(seen);
  return evaluated.reason.endsWith('_missing') ? E.left({ code: 'device-required' }) : E.right(seen);
};

const deviceProof: Step = (seen, gate) => {
  const { params, nonce, now } = seen.knock;
  const { device } = params;
  if (device === undefined) return E.right(seen);
  const retryAfterMs = gate.limiter.lockedFor('signature', guesserOf(seen.knock));
  if (retryAfterMs > 0) return E.left({ code: 'rate-limited', retryAfterMs });
  const token = seen.evaluated.method === 'failed' ? tokenShown(device.id, seen, gate) : undefined;
  const vouched = token !== undefined || (seen.evaluated.method !== 'failed' && seen.evaluated.method !== 'none');
  const wait = vouched ? 0 : gate.signatures.spend(seen.knock.place);
  if (wait > 0) return E.left({ code: 'rate-limited', retryAfterMs: wait });
  const fault = faultOf(device, params, seen.role, { nonce, now });
  if (fault === undefined) return E.right({ ...seen, proven: device.id, token });
  if (fault === 'device-signature') gate.limiter.failed('signature', guesserOf(seen.knock));
  return E.left({ code: 'device-fault', fault });
};

/** Undefined unless it is a token that we made for this device in this role. */
const tokenShown = (device: string, { knock, role }: Seen, gate: Gate): Seen['token'] => {
  const { token, deviceToken } = knock.params.auth ?? {};
  const candidate = deviceToken || token || undefined;
  if (candidate === undefined) return undefined;
  const credential = gate.keys.fingerprint(candidate);
  const row = gate.views().credentials.get(credential);
  return row?.kind === 'device-token' &&
    row.device === device &&
    row.role === role &&
    sameSecret(candidate, gate.keys.deviceToken(device, role, row.token))
    ? { credential, token: row.token }
    : undefined;
};

/** A device token makes up for a shared secret that was missing or wrong. Whether it is alive is for the log to say. */
const deviceToken: Step = (seen, gate) => {
  const { evaluated, proven, knock, token: ours } = seen;
  if (evaluated.method !== 'failed') return E.right(seen);
  const { token, deviceToken: explicit } = knock.params.auth ?? {};
  const otherwise = explicit ? 'device_token_mismatch' : evaluated.reason;
  if (proven !== undefined && (explicit || token)) {
    const retryAfterMs = gate.limiter.lockedFor('device-token', guesserOf(seen.knock));
    if (retryAfterMs > 0) return E.left({ code: 'rate-limited', retryAfterMs });
    if (ours !== undefined) return E.right({ ...seen, evaluated: { method: 'device-token', ...ours, otherwise } });
    gate.limiter.failed('device-token', guesserOf(seen.knock));
  }
  if (evaluated.reason.endsWith('_mismatch')) gate.limiter.failed('shared-secret', guesserOf(seen.knock));
  if (evaluated.retryAfterMs !== undefined)
    return E.left({ code: 'rate-limited', retryAfterMs: evaluated.retryAfterMs });
  return E.left({ code: 'unauthorized', reason: otherwise });
};

const STEPS: readonly Step[] = [
  commonProtocol,
  knownRole,
  allowedOrigin,
  sharedCredential,
  keyOrPolicy,
  deviceProof,
  deviceToken,
];

const isBrowser = ({ origin, params }: Knock): boolean => origin !== '' || isControlUi(params) || isWebchat(params);

/**
 * Whom wrong credentials are counted for: the address. All browsers of this host are one, and are locked out, not delayed; their
 * origin is not part of it, because whoever is no browser can say any.
 */
export const guesserOf = (knock: Knock): Guesser => {
  const { source, local, loopback } = knock.place;
  return isBrowser(knock) ? { source: loopback ? 'browser' : source, loopback: false } : { source, loopback: local };
};
