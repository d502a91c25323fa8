import t from 'tap';
import type { Need } from '../../events/index.js';
import type { AuthReason } from '../../src/decisions/connect.js';
import { catalogue, type RefusalCode } from '../../src/errors.js';
import { reasons } from '../../src/forensics/reasons.js';
import { ends, LEFT } from '../../src/gateway/ends.js';
import { type ConnectRefusal, refusalOnWire } from '../../src/protocol/connect-refusals.js';
import type { DeviceFault } from '../../src/protocol/device-proof.js';

/*
 * Whoever asks why is told the rule and the one thing to change, whatever the reason was. These tables do not compile when a refusal is
 * added that is not in them.
 */

const AUTH = {
  token_missing: true,
  token_mismatch: true,
  token_missing_config: true,
  password_missing: true,
  password_mismatch: true,
  password_missing_config: true,
  device_token_mismatch: true,
  rate_limited: true,
} satisfies Record<AuthReason, true>;

const NEEDS = {
  'not-paired': true,
  'role-upgrade': true,
  'scope-upgrade': true,
  'metadata-upgrade': true,
} satisfies Record<Need, true>;

const FAULTS = {
  'device-id-mismatch': true,
  'device-signature-stale': true,
  'device-nonce-missing': true,
  'device-nonce-mismatch': true,
  'device-signature': true,
  'device-public-key': true,
} satisfies Record<DeviceFault, true>;

/** What the ledger itself says to a connect: nothing that a verb refuses. `true`: it can come to a connect. */
const LEDGER = {
  'unknown-request': false,
  'request-superseded': false,
  'archive-held': false,
  'approval-denied': false,
  'rejection-denied': false,
  'removal-denied': false,
  'rename-denied': false,
  'rotation-denied': false,
  'revocation-denied': false,
  'missing-scope': false,
  'scope-outside-role': false,
  'unknown-device': false,
  'device-seen': false,
  'unknown-node': false,
  'unknown-token': false,
  'unknown-id': false,
  'bad-time': false,
  'bad-rules': false,
  'cuts-caller': false,
  'erasure-held': false,
  'node-not-connected': false,
  'node-failed': false,
  'node-mismatch': false,
  'invoke-reserved': false,
  'command-not-allowed': false,
  'key-reused': false,
  'too-many-invocations': false,
  'approval-pending': false,
  'unknown-approval': false,
  'approval-gone': false,
  'bad-decision': false,
  'bad-run': false,
  'approval-mismatch': false,
  'too-many-approvals': false,
  'too-many-links': false,
  'no-canvas': false,
  'erasure-unexplained': false,
  'secret-leaked': false,
  'evidence-unreadable': false,
  'evidence-busy': false,
  'mark-unusable': false,
  'no-fork': false,
  'log-not-writable': true,
  busy: true,
  internal: true,
} satisfies Record<RefusalCode, boolean>;

const keys = <K extends string>(table: Readonly<Record<K, unknown>>): readonly K[] => Object.keys(table) as K[];

/** Every refusal of a connect, at least once for each reason it can have. */
const REFUSALS: {
  readonly [C in ConnectRefusal['code']]: readonly Extract<ConnectRefusal, { readonly code: C }>[];
} = {
  unauthorized: keys(AUTH).map((reason) => ({ code: 'unauthorized', reason })),
  'pairing-required': keys(NEEDS).map((need) => ({ code: 'pairing-required', need })),
  'invalid-params': [{ code: 'invalid-params', rules: 'must be object' }],
  'not-connect': [{ code: 'not-connect' }],
  'protocol-mismatch': [{ code: 'protocol-mismatch', min: 9, max: 9 }],
  'invalid-role': [{ code: 'invalid-role' }],
  'origin-not-allowed': [{ code: 'origin-not-allowed', why: 'origin not allowed' }],
  'device-required': [{ code: 'device-required' }],
  'control-ui-device-required': [{ code: 'control-ui-device-required' }],
  'device-fault': keys(FAULTS).map((fault) => ({ code: 'device-fault', fault })),
  'rate-limited': [{ code: 'rate-limited', retryAfterMs: 1000 }],
  ledger: keys(LEDGER)
    .filter((code) => LEDGER[code])
    .map((code) => ({ code: 'ledger', refusal: { code, message: catalogue[code].message } })),
};

const REFUSEES = ([undefined, 3, 4] as const).map((dialect) => ({ dialect, params: undefined, local: false }));

t.test('every refusal of a connect has a rule and a change, in every dialect', async (t) => {
  for (const refusal of Object.values(REFUSALS).flat())
    for (const who of REFUSEES) {
      const { reason } = refusalOnWire(refusal, who);
      t.ok(Object.hasOwn(reasons, reason), `${refusal.code}: ${reason}`);
    }
});

/** Reasons that a connection gives by itself, before or without a connect. */
const own = [...Object.values(ends).map(({ reason }) => reason), LEFT];

t.test('every reason that a connection gives by itself has a rule and a change', async (t) => {
  for (const reason of own) t.ok(Object.hasOwn(reasons, reason), reason);
});

t.test('no reason is explained that nobody is given', async (t) => {
  const given = new Set([
    ...Object.values(REFUSALS)
      .flat()
      .map((refusal) => refusalOnWire(refusal, { dialect: 4, params: undefined, local: false }).reason),
    ...own,
  ]);
  t.same(
    Object.keys(reasons).filter((reason) => !given.has(reason)),
    [],
  );
});

t.test('a rule and a change are parts of a sentence, which ends where it is printed', async (t) => {
  for (const [reason, { rule, change }] of Object.entries(reasons))
    for (const words of [rule, change]) {
      t.match(words, /^\S(?:.*\S)$/, reason);
      t.notMatch(words, /[.!\n]$/, reason);
    }
});
