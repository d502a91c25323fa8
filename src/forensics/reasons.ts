/*
 * Why a connection was refused, for people: the rule, and the one thing to change. Keys are the reasons in `connection.refused`; a test
 * holds them against every refusal that the gateway can give.
 */

export interface Reason {
  readonly rule: string;
  readonly change: string;
}

const SECRET = 'the gateway secret';

export const reasons: Readonly<Record<string, Reason>> = {
  'not-paired': {
    rule: 'a device connects only after a person, or a rule that is switched on, has approved it',
    change: 'look at the request with openclaw devices list, and approve it by its id if you know the device',
  },
  'role-upgrade': {
    rule: 'a device connects only in a role that was approved for it',
    change: 'approve the waiting request, or let the client ask for the role it has',
  },
  'scope-upgrade': {
    rule: 'a device has only the scopes that were approved for it, and it asked for none of those',
    change: 'approve the waiting request, or let the client ask for the scopes it has',
  },
  'metadata-upgrade': {
    rule: 'a device that says it runs another platform than the one that was approved is asked about again',
    change: 'approve the waiting request if the machine was replaced or reinstalled; reject it if not',
  },
  token_missing: {
    rule: `a client shows ${SECRET} or a device token`,
    change: 'give the client the gateway token, once',
  },
  token_mismatch: {
    rule: `the token that was shown is neither ${SECRET} in force nor a live token of this device`,
    change: 'give the client the token that the gateway runs with; it may have been rotated',
  },
  token_missing_config: {
    rule: 'the gateway asks for a token and has none',
    change: 'set OPENCLAW_GATEWAY_TOKEN and restart the gateway',
  },
  password_missing: {
    rule: 'a client shows the gateway password or a device token',
    change: 'give the client the gateway password',
  },
  password_mismatch: {
    rule: 'the password that was shown is not the one of this gateway',
    change: 'give the client the right password',
  },
  password_missing_config: {
    rule: 'the gateway asks for a password and has none',
    change: 'set OPENCLAW_GATEWAY_PASSWORD and restart the gateway',
  },
  device_token_mismatch: {
    rule: 'the device token that was shown is not one of this device and role that is alive: rotated, revoked, removed, or of another device',
    change: 'let the device show the gateway secret once: it is told its new token at the next hello',
  },
  rate_limited: {
    rule: 'too many wrong credentials came from this source, and nothing from it is looked at for a while, right or wrong',
    change: 'stop the client that guesses, and wait for the time that source.locked names',
  },
  'device-required': {
    rule: 'a client without the key of a device is let in only with the gateway secret, and a node never',
    change: 'let the client sign with a device key, as the openclaw clients do',
  },
  'control-ui-device-required': {
    rule: 'a control page in a browser has to show the key of a device, which browsers only make in a secure context',
    change: 'open the page by https, or on localhost',
  },
  'origin-not-allowed': {
    rule: 'a web page may connect only from an origin that is allowed',
    change: 'add the origin to gateway.controlUi.allowedOrigins, if it is yours',
  },
  'device-id-mismatch': {
    rule: 'the id of a device is the hash of its key, and this one is not',
    change: 'let the client make a new identity',
  },
  'device-signature-stale': {
    rule: 'the time that a device signs must be within two minutes of ours',
    change: 'set the clock of the client right',
  },
  'device-nonce-missing': { rule: 'a device signs the challenge of this connection', change: 'update the client' },
  'device-nonce-mismatch': {
    rule: 'a device signs the challenge of this connection, and this was another one',
    change: 'update the client; if it is up to date, somebody may be replaying its handshake',
  },
  'device-signature': {
    rule: 'what the device signed is not what it says, or was not signed with its key',
    change: 'update the client: it has to sign the fields of its connect in the order of the protocol',
  },
  'device-public-key': {
    rule: 'the key of the device is not an Ed25519 key that only one can sign with',
    change: 'let the client make a new identity',
  },
  'protocol-mismatch': { rule: 'this gateway speaks protocols 3 and 4', change: 'update the client' },
  'invalid-role': { rule: 'a client is an operator or a node', change: 'update the client' },
  'invalid-params': {
    rule: 'the params of a connect have a fixed form',
    change: 'update the client; the answer to it names the field',
  },
  'invalid-frame': {
    rule: 'the first frame is a connect request in JSON text',
    change: 'let a client of the gateway protocol connect here',
  },
  'not-json': { rule: 'frames are JSON', change: 'let a client of the gateway protocol connect here' },
  'not-connect': { rule: 'the first request is connect', change: 'update the client' },
  'preauth-displaced': {
    rule: 'when more connections wait than there is room for, the source that has most of them gives some to those that have fewer',
    change:
      'let the client say its connect as soon as it has the challenge; find out who else opens connections from there',
  },
  'handshake-timeout': {
    rule: 'a client has a few seconds to say who it is, and this one said nothing',
    change:
      'let a client of the gateway protocol connect here; a port scanner or a health probe belongs to GET /healthz',
  },
  'closed-before-connect': {
    rule: 'none: the client went away before it had said who it is',
    change: 'look at the log of the client: its close code says what it made of the challenge',
  },
  'preauth-payload-too-large': {
    rule: 'before it is let in, a client may send 64 KiB',
    change: 'let a client of the gateway protocol connect here',
  },
  'log-not-writable': {
    rule: 'nobody is let in whose coming cannot be recorded',
    change: 'mend the disk of the gateway and restart it: openclaw health says what is wrong',
  },
  busy: { rule: 'too many decisions waited for the disk', change: 'let the client try again' },
  internal: { rule: 'none: the gateway failed', change: 'report what its log says' },
};

/** What a client means by its own close code, where it closed first. */
export const clientCloses: Readonly<Record<number, string>> = {
  1000: 'the client closed in the ordinary way',
  1001: 'the client went away: a page was left, or a program ended',
  1005: 'the client closed without saying why',
  1006: 'the connection broke',
  1012: 'the client restarts',
  4008: 'connect failed: a browser client closed because of the refusal that the gateway had sent it',
};
