import ipaddr from 'ipaddr.js';
import { anything, closed, flag, integer, listOf, oneOf, type TypeOf, text, textThat } from '../codec.js';
import { limits } from '../limits.js';

/*
 * `gateway.*` of openclaw.json: the keys of the original that apply, under their names, and ours beside them. Keys that the
 * original knows and that change nothing here are accepted, so that its file can be used as it is; a key that nobody knows
 * is refused, because it is a mistake.
 */

const count = integer(1, 1_000_000);
const duration = integer(1, 24 * 60 * 60 * 1000);

const network = textThat(
  (text) => ipaddr.isValid(text) || ipaddr.isValidCIDR(text),
  'must be an IP address or a network such as 10.0.0.0/8',
);

const auth = closed(
  {},
  {
    mode: oneOf(['token', 'password', 'none', 'trusted-proxy']),
    token: text(),
    password: text(),
    rateLimit: closed({}, { maxAttempts: count, windowMs: duration, lockoutMs: duration, exemptLoopback: flag }),
    allowTailscale: anything,
    trustedProxy: anything,
  },
);

const controlUi = closed(
  {},
  {
    allowedOrigins: listOf(text()),
    dangerouslyAllowHostHeaderOriginFallback: flag,
    enabled: anything,
    basePath: anything,
    root: anything,
    allowInsecureAuth: anything,
    dangerouslyDisableDeviceAuth: anything,
  },
);

/** Ours: rules that let somebody in without a person, each of which can be switched off. */
const pairing = closed({}, { autoApproveLocal: flag, localBackend: flag, keepScopesWithoutDevice: flag });

/** Ours: what becomes of the log. 0 switches it off. */
const audit = closed(
  {},
  {
    archiveAfterDays: integer(0, limits.archive.afterDaysCeiling),
    /** The name of the log in its checkpoints, for ever. */
    origin: textThat(
      (name) => /^[^\s+]{1,128}$/.test(name),
      'must be a name without spaces or +, for example gate.example.com/log',
    ),
    /** A file in a place that is not restored together with the state folder. */
    highWaterMark: text(),
    /** The log for whoever reaches the port, to be checked: `/checkpoint` and `/tile/…`. */
    tiles: flag,
    /** Who is asked to cosign checkpoints: the verifier key of each, and where it answers `/add-checkpoint`. */
    witnesses: listOf(closed({ key: text(), url: text() }, {}), limits.witnesses.most),
  },
);

/** Commands of nodes beyond those of their platform, and those that none is told. */
const nodes = closed(
  {},
  {
    allowCommands: listOf(text(), limits.claims.commands),
    denyCommands: listOf(text(), limits.claims.commands),
    browser: anything,
  },
);

const gateway = closed(
  {},
  {
    mode: oneOf(['local', 'remote']),
    port: integer(0, 65_535),
    bind: oneOf(['loopback', 'lan', 'auto', 'custom', 'tailnet']),
    customBindHost: text(),
    auth,
    controlUi,
    pairing,
    audit,
    trustedProxies: listOf(network),
    allowRealIpFallback: flag,
    /** Ours: what becomes of forwarding headers that no trusted proxy vouches for. */
    untrustedForwarding: oneOf(['remote', 'refuse']),
    /** Ours: processes that take connections beside the one that writes the log. */
    workers: integer(0, limits.workers.most),
    handshakeTimeoutMs: integer(100, 10 * 60 * 1000),
    maxPayloadBytes: integer(limits.wire.preauthFrameBytes, limits.wire.maxPayloadCeiling),
    remote: closed(
      {},
      {
        url: text(),
        token: text(),
        password: text(),
        transport: anything,
        tlsFingerprint: anything,
        sshTarget: anything,
        sshIdentity: anything,
      },
    ),
    tls: anything,
    nodes,
    tools: anything,
    /** How often the gateway looks at its components, and says in the log that it is there. */
    channelHealthCheckMinutes: integer(1, 24 * 60),
    tailscale: anything,
    reload: anything,
    http: anything,
    push: anything,
  },
);

/** Known to the original, without effect here: paths below `gateway`. People are told, lest they count on one of them. */
export const withoutEffect: readonly string[] = [
  'nodes.browser',
  'tools',
  'tailscale',
  'reload',
  'http',
  'push',
  'tls',
  'auth.allowTailscale',
  'auth.trustedProxy',
  'auth.rateLimit.exemptLoopback',
  'controlUi.enabled',
  'controlUi.basePath',
  'controlUi.root',
  'controlUi.allowInsecureAuth',
  'controlUi.dangerouslyDisableDeviceAuth',
  'remote.transport',
  'remote.tlsFingerprint',
  'remote.sshTarget',
  'remote.sshIdentity',
];

const isWebUrl = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url !== undefined && /^https?:$/.test(url.protocol) && url.origin === text;
};

/** Of `canvasHost.*`, what applies; `publicUrl` is ours. */
export const CanvasConfig = closed(
  {},
  {
    enabled: flag,
    root: text(),
    liveReload: flag,
    publicUrl: textThat(isWebUrl, 'must be http:// or https://, without a path'),
    port: anything,
  },
);
export type CanvasConfig = TypeOf<typeof CanvasConfig>;

export const GatewayConfig = gateway;
export type GatewayConfig = TypeOf<typeof gateway>;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LEVELS)[number];

/** Of `logging.*`, what applies. */
export const LogConfig = closed({}, { level: oneOf(LEVELS), file: text() });
export type LogConfig = TypeOf<typeof LogConfig>;
