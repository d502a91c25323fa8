import type { AuthReason, ConnectDenied } from '../decisions/connect.js';
import type { Refusal } from '../errors.js';
import { catalogue } from '../errors.js';
import { limits } from '../limits.js';
import { type Close, closeCode } from './close-codes.js';
import type { ConnectParams } from './connect-params.js';
import type { DeviceFault } from './device-proof.js';
import type { Dialect } from './dialect.js';
import type { WireError } from './frames.js';

/* Every way in which a connect is refused, in the words of the wire (protocol.md §2, §4, §5.3, §5.5, §5.6, §6.3). */

export type ConnectRefusal =
  | ConnectDenied
  | { readonly code: 'invalid-params'; readonly rules: string }
  | { readonly code: 'not-connect' }
  | { readonly code: 'protocol-mismatch'; readonly min: number; readonly max: number }
  | { readonly code: 'invalid-role' }
  | { readonly code: 'origin-not-allowed'; readonly why: 'origin missing or invalid' | 'origin not allowed' }
  | { readonly code: 'device-required' }
  | { readonly code: 'control-ui-device-required' }
  | { readonly code: 'device-fault'; readonly fault: DeviceFault }
  | { readonly code: 'rate-limited'; readonly retryAfterMs: number }
  | { readonly code: 'ledger'; readonly refusal: Refusal };

/** Who is refused: words depend on it, the decision does not. */
export interface Refusee {
  readonly dialect: Dialect | undefined;
  readonly params: ConnectParams | undefined;
  readonly local: boolean;
  readonly deviceId?: string | undefined;
}

/** The answer and then the close. `reason` names the refusal in the log. */
export interface RefusalOnWire {
  readonly error: WireError;
  readonly close: Close;
  readonly reason: string;
}

export const refusalOnWire = (refusal: ConnectRefusal, who: Refusee): RefusalOnWire => {
  const answer = (
    error: WireError,
    reason: string,
    close = error.message,
    code: number = closeCode.policy,
  ): RefusalOnWire => ({
    error,
    close: { code, reason: close },
    reason,
  });
  switch (refusal.code) {
    case 'not-connect':
      return answer(
        { code: 'INVALID_REQUEST', message: 'invalid handshake: first request must be connect' },
        refusal.code,
      );
    case 'invalid-params':
      return answer({ code: 'INVALID_REQUEST', message: `invalid connect params: ${refusal.rules}` }, refusal.code);
    case 'protocol-mismatch': {
      const details = {
        code: 'PROTOCOL_MISMATCH',
        clientMinProtocol: refusal.min,
        clientMaxProtocol: refusal.max,
        expectedProtocol: 4,
        minimumProbeProtocol: 3,
      };
      return answer(
        { code: 'INVALID_REQUEST', message: 'protocol mismatch', details },
        refusal.code,
        undefined,
        closeCode.protocolError,
      );
    }
    case 'invalid-role':
      return answer({ code: 'INVALID_REQUEST', message: 'invalid role' }, refusal.code);
    case 'origin-not-allowed':
      return answer(originRefusal(refusal.why, who), refusal.code);
    case 'device-required':
      return answer(
        { code: 'NOT_PAIRED', message: 'device identity required', details: { code: 'DEVICE_IDENTITY_REQUIRED' } },
        refusal.code,
      );
    case 'control-ui-device-required':
      return answer(
        {
          code: 'INVALID_REQUEST',
          message: 'control ui requires device identity (use HTTPS or localhost secure context)',
          details: { code: 'CONTROL_UI_DEVICE_IDENTITY_REQUIRED' },
        },
        refusal.code,
      );
    case 'device-fault':
      return answer(deviceRefusal(refusal.fault), refusal.fault);
    case 'rate-limited':
      return answer(
        { ...authRefusal('rate_limited', who), retryable: true, retryAfterMs: refusal.retryAfterMs },
        'rate_limited',
      );
    case 'unauthorized':
      return answer(authRefusal(refusal.reason, who), refusal.reason);
    case 'pairing-required':
      return pairingRefusal(refusal, who);
    case 'ledger': {
      const { message, code } = refusal.refusal;
      return answer(
        { code: catalogue[code].wire, message, retryable: true, retryAfterMs: limits.wire.retryAfterMs },
        code,
        message,
        closeCode.tryAgainLater,
      );
    }
  }
};

const ORIGIN_TEXT =
  'origin not allowed (open the Control UI from the gateway host or allow it in gateway.controlUi.allowedOrigins)';

const originRefusal = (reason: string, { dialect }: Refusee): WireError => ({
  code: 'INVALID_REQUEST',
  message: ORIGIN_TEXT,
  ...(dialect === 3 ? {} : { details: { code: 'CONTROL_UI_ORIGIN_NOT_ALLOWED', reason } }),
});

const DEVICE_FAULTS: { readonly [F in DeviceFault]: readonly [code: string, message: string] } = {
  'device-id-mismatch': ['DEVICE_AUTH_DEVICE_ID_MISMATCH', 'device identity mismatch'],
  'device-signature-stale': ['DEVICE_AUTH_SIGNATURE_EXPIRED', 'device signature expired'],
  'device-nonce-missing': ['DEVICE_AUTH_NONCE_REQUIRED', 'device nonce required'],
  'device-nonce-mismatch': ['DEVICE_AUTH_NONCE_MISMATCH', 'device nonce mismatch'],
  'device-signature': ['DEVICE_AUTH_SIGNATURE_INVALID', 'device signature invalid'],
  'device-public-key': ['DEVICE_AUTH_PUBLIC_KEY_INVALID', 'device public key invalid'],
};

const deviceRefusal = (reason: DeviceFault): WireError => {
  const [code, message] = DEVICE_FAULTS[reason];
  return { code: 'INVALID_REQUEST', message, details: { code, reason } };
};

const AUTH: { readonly [R in AuthReason]: readonly [code: string, text: string] } = {
  token_missing: ['AUTH_TOKEN_MISSING', 'gateway token missing'],
  token_mismatch: ['AUTH_TOKEN_MISMATCH', 'gateway token mismatch'],
  token_missing_config: [
    'AUTH_TOKEN_NOT_CONFIGURED',
    'gateway token not configured on gateway (set gateway.auth.token)',
  ],
  password_missing: ['AUTH_PASSWORD_MISSING', 'gateway password missing'],
  password_mismatch: ['AUTH_PASSWORD_MISMATCH', 'gateway password mismatch'],
  password_missing_config: [
    'AUTH_PASSWORD_NOT_CONFIGURED',
    'gateway password not configured on gateway (set gateway.auth.password)',
  ],
  device_token_mismatch: ['AUTH_DEVICE_TOKEN_MISMATCH', 'device token mismatch (rotate/reissue device token)'],
  rate_limited: ['AUTH_RATE_LIMITED', 'too many failed authentication attempts (retry later)'],
};

const authRefusal = (reason: AuthReason, who: Refusee): WireError => {
  const [code, text] = AUTH[reason];
  const hinted = /^(token|password)_(missing|mismatch)$/.exec(reason);
  const message = `unauthorized: ${text}${hinted === null ? '' : ` (${hint(hinted[1] === 'token' ? 'token' : 'password', who)})`}`;
  if (who.dialect !== 4) return { code: 'INVALID_REQUEST', message, details: { code, authReason: reason } };
  const { auth, device } = who.params ?? {};
  const canRetryWithDeviceToken =
    reason === 'token_mismatch' && device !== undefined && Boolean(auth?.token) && !auth?.deviceToken;
  return {
    code: 'INVALID_REQUEST',
    message,
    details: {
      code,
      authReason: reason,
      canRetryWithDeviceToken,
      recommendedNextStep: nextStep(reason, canRetryWithDeviceToken),
    },
  };
};

/** What the person in front of this client can do about it. */
const hint = (secret: 'token' | 'password', { params, dialect, local }: Refusee): string => {
  if (params?.client.mode === 'cli') {
    if (dialect === 4 && local)
      return secret === 'token'
        ? "use this gateway's gateway.auth.token or pair the device"
        : "use this gateway's gateway.auth.password";
    return `set gateway.remote.${secret} to match gateway.auth.${secret}`;
  }
  if (params?.client.id === 'openclaw-control-ui' || params?.client.mode === 'webchat') {
    return secret === 'token'
      ? 'open the dashboard URL and paste the token in Control UI settings'
      : 'enter the password in Control UI settings';
  }
  return `provide gateway auth ${secret}`;
};

const nextStep = (reason: AuthReason, canRetry: boolean): string => {
  if (canRetry) return 'retry_with_device_token';
  if (reason === 'rate_limited') return 'wait_then_retry';
  if (reason.endsWith('_missing')) return 'update_auth_configuration';
  if (reason.endsWith('_mismatch')) return 'update_auth_credentials';
  return 'review_auth_configuration';
};

const NEEDS = {
  'not-paired': ['device is not approved yet', 'Approve this device from the pending pairing requests.'],
  'role-upgrade': [
    'device is asking for a higher role than currently approved',
    'Review the requested role upgrade, then approve the pending request.',
  ],
  'scope-upgrade': [
    'device is asking for more scopes than currently approved',
    'Review the requested scopes, then approve the pending upgrade.',
  ],
  'metadata-upgrade': [
    'device identity changed and must be re-approved',
    'Review the refreshed device details, then approve the pending request.',
  ],
} as const;

/** A v4 client gives up on `PAIRING_REQUIRED` unless told that waiting helps; it does, because a person can approve at any time. */
const pairingRefusal = (
  { need, requestId, approved }: Extract<ConnectDenied, { code: 'pairing-required' }>,
  who: Refusee,
): RefusalOnWire => {
  const full = requestId === undefined ? ' (the list of pending requests is full; try again later)' : '';
  if (who.dialect !== 4) {
    const details = { code: 'PAIRING_REQUIRED', requestId, reason: need };
    const message = `pairing required${full}`;
    return {
      error: { code: 'NOT_PAIRED', message, details },
      close: { code: closeCode.policy, reason: message },
      reason: need,
    };
  }
  const [requirement, remediationHint] = NEEDS[need];
  const message = `pairing required: ${requirement}${full}`;
  const details = {
    code: 'PAIRING_REQUIRED',
    requestId,
    reason: need,
    remediationHint,
    deviceId: who.deviceId,
    requestedRole: who.params?.role ?? 'operator',
    requestedScopes: who.params?.scopes ?? [],
    approvedRoles: approved?.roles,
    approvedScopes: approved?.scopes,
    recommendedNextStep: 'wait_then_retry',
    retryable: true,
    pauseReconnect: false,
  };
  const reason = requestId === undefined ? message : `${message} (requestId: ${requestId})`;
  return { error: { code: 'NOT_PAIRED', message, details }, close: { code: closeCode.policy, reason }, reason: need };
};
