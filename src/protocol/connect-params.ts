import {
  anyText,
  anything,
  closed,
  flag,
  integer,
  listOf,
  mapOf,
  oneOf,
  type TypeOf,
  text,
  textThat,
} from '../codec.js';
import { limits } from '../limits.js';

/** Params of `connect`: the union of what protocol 3 and 4 send (protocol.md §3.2). Claims all: nothing here is verified yet. */

const { claims } = limits;

export const CLIENT_IDS = [
  'webchat-ui',
  'openclaw-control-ui',
  'webchat',
  'cli',
  'gateway-client',
  'openclaw-macos',
  'openclaw-ios',
  'openclaw-android',
  'node-host',
  'test',
  'fingerprint',
  'openclaw-probe',
  'openclaw-browser-copilot',
  'openclaw-tui',
  'openclaw-linux',
  'openclaw-watchos',
  'openclaw-worker',
] as const;

export const CLIENT_MODES = ['webchat', 'cli', 'ui', 'backend', 'node', 'probe', 'test', 'worker'] as const;

/** The words of a schema that is a union of constants. */
const NOT_IN_UNION = ['must be equal to constant', 'must match a schema in anyOf'];

const client = closed(
  {
    id: oneOf(CLIENT_IDS, NOT_IN_UNION),
    version: text(claims.textChars),
    platform: text(claims.textChars),
    mode: oneOf(CLIENT_MODES, NOT_IN_UNION),
  },
  {
    displayName: text(claims.textChars),
    deviceFamily: text(claims.textChars),
    modelIdentifier: text(claims.textChars),
    instanceId: text(claims.textChars),
    buildId: text(96),
    timeZone: text(64),
  },
);

const device = closed(
  {
    id: text(claims.textChars),
    publicKey: text(claims.textChars),
    signature: text(claims.textChars),
    signedAt: integer(0),
    nonce: text(claims.textChars),
  },
  {},
);

const auth = closed(
  {},
  {
    token: anyText(),
    deviceToken: anyText(),
    password: anyText(),
    bootstrapToken: anyText(),
    approvalRuntimeToken: anyText(),
    agentRuntimeIdentityToken: anyText(),
  },
);

/*
 * A scope is shown to whoever approves it, and signed in a list with commas between: visible ASCII without a comma, so that it can
 * neither draw on a terminal nor be read as two.
 */
const scope = textThat(
  (name) => name.length <= claims.textChars && /^[\x21-\x2b\x2d-\x7e]+$/.test(name),
  'must be visible ASCII without spaces or commas',
);

export const scopeList = listOf(scope, claims.scopes);

export const ConnectParams = closed(
  { minProtocol: integer(1), maxProtocol: integer(1), client },
  {
    caps: listOf(text(claims.textChars), claims.caps),
    commands: listOf(text(claims.textChars), claims.commands),
    permissions: mapOf(flag, claims.permissions),
    pathEnv: anyText(claims.pathEnvChars),
    role: text(claims.textChars),
    scopes: scopeList,
    device,
    auth,
    locale: anyText(claims.textChars),
    userAgent: anyText(claims.textChars),
    computerUse: anything,
    workerRuns: anything,
  },
);
export type ConnectParams = TypeOf<typeof ConnectParams>;

/** The browser UI of the product and the web chat: browsers by what they say, wherever they connect from. */
export const isControlUi = ({ client }: ConnectParams): boolean => client.id === 'openclaw-control-ui';
export const isWebchat = ({ client }: ConnectParams): boolean => client.mode === 'webchat';
