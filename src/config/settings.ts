import { isIP } from 'node:net';
import { isAbsolute, join, resolve } from 'node:path';
import type { Rules } from '../decisions/connect.js';
import type { NodeRules } from '../decisions/node-commands.js';
import { limits } from '../limits.js';
import { ConfigError, type ConfigFile, readConfig } from './file.js';
import { type Paths, pathsFrom } from './paths.js';
import type { LogLevel } from './schema.js';
import { type WitnessSetting, witnessesOf } from './witnesses.js';

/** What the command line says. */
export interface Flags {
  readonly port?: number | undefined;
  readonly bind?: string | undefined;
  readonly auth?: string | undefined;
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  /** Processes that take connections beside the one that writes the log; 0: that one does. */
  readonly workers?: number | undefined;
  /** False: even this host's own programs wait for a person. */
  readonly autoApprove?: boolean | undefined;
}

export type AuthMode = 'token' | 'password' | 'none';

/** A secret and where it came from: the place where it can be changed. */
export interface Configured {
  readonly value: string;
  readonly from: string;
}

export interface CanvasSettings {
  /** Folder whose files are served. */
  readonly root: string;
  /** Pages are told when something in it changes. */
  readonly liveReload: boolean;
  /** Where clients reach it, if not where they reach the gateway: scheme, name and port. */
  readonly publicUrl: string | undefined;
}

/** Everything that can be set, resolved: flags over environment over file over defaults. */
export interface Settings {
  readonly paths: Paths;
  readonly file: ConfigFile;
  readonly port: number;
  /** Processes that take connections beside the one that writes the log; 0: that one does. */
  readonly workers: number;
  /** Addresses to listen on, IPv4 first. */
  readonly hosts: readonly string[];
  readonly auth: { readonly mode: AuthMode; readonly secret?: Configured | undefined };
  readonly limiter: { readonly failures: number; readonly windowMs: number; readonly lockMs: number };
  readonly trustedProxies: readonly string[];
  readonly realIpHeader: boolean;
  readonly untrustedForwarding: 'remote' | 'refuse';
  readonly allowedOrigins: readonly string[];
  readonly originMayBeHost: boolean;
  readonly rules: Rules;
  readonly nodes: NodeRules;
  readonly handshakeMs: number;
  readonly maxPayloadBytes: number;
  /** Age at which ticks and connections go to the archive; undefined: never. */
  readonly archiveAfterMs: number | undefined;
  /** What the log is called in its checkpoints; undefined: whatever it is. */
  readonly origin: string | undefined;
  /** File of the high-water mark; undefined: none. */
  readonly highWaterMark: string | undefined;
  /** Whoever reaches the port may read the log. */
  readonly tiles: boolean;
  readonly witnesses: readonly WitnessSetting[];
  readonly healthIntervalMs: number;
  /** Undefined: there is none. */
  readonly canvas: CanvasSettings | undefined;
  readonly log: { readonly level: LogLevel; readonly file?: string | undefined };
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORT = 18_789;

export const loadSettings = (flags: Flags, env: Environment): Settings => {
  const paths = pathsFrom(env);
  const file = readConfig(paths.config);
  const { gateway } = file;
  refuseUnserved(gateway);
  const auth = authOf(flags, env, file);
  const hosts = hostsOf(flags.bind ?? gateway.bind ?? 'loopback', gateway.customBindHost);
  if (auth.mode === 'none' && hosts.some((host) => !LOOPBACK.includes(host))) {
    throw new ConfigError(
      'gateway.bind: refusing to listen beyond loopback without auth; set gateway.auth.mode to token or password',
    );
  }
  const { rateLimit } = gateway.auth ?? {};
  return {
    paths,
    file,
    port: wholeNumber('port', flags.port ?? env['OPENCLAW_GATEWAY_PORT'] ?? gateway.port ?? DEFAULT_PORT, 0, 65_535),
    workers: wholeNumber('workers', flags.workers ?? gateway.workers ?? 0, 0, limits.workers.most),
    hosts,
    auth,
    limiter: {
      failures: rateLimit?.maxAttempts ?? limits.limiter.failures,
      windowMs: rateLimit?.windowMs ?? limits.limiter.windowMs,
      lockMs: rateLimit?.lockoutMs ?? limits.limiter.lockMs,
    },
    trustedProxies: gateway.trustedProxies ?? [],
    realIpHeader: gateway.allowRealIpFallback ?? false,
    untrustedForwarding: gateway.untrustedForwarding ?? 'remote',
    allowedOrigins: gateway.controlUi?.allowedOrigins ?? [],
    originMayBeHost: gateway.controlUi?.dangerouslyAllowHostHeaderOriginFallback ?? false,
    rules: {
      localClient: flags.autoApprove ?? gateway.pairing?.autoApproveLocal ?? true,
      localBackend: (flags.autoApprove ?? true) && (gateway.pairing?.localBackend ?? true),
      scopesWithoutDevice: gateway.pairing?.keepScopesWithoutDevice ?? false,
    },
    nodes: { allow: gateway.nodes?.allowCommands ?? [], deny: gateway.nodes?.denyCommands ?? [] },
    handshakeMs: wholeNumber(
      'OPENCLAW_HANDSHAKE_TIMEOUT_MS',
      env['OPENCLAW_HANDSHAKE_TIMEOUT_MS'] ?? gateway.handshakeTimeoutMs ?? limits.wire.handshakeMs,
      100,
      600_000,
    ),
    maxPayloadBytes: gateway.maxPayloadBytes ?? limits.wire.maxPayloadBytes,
    archiveAfterMs: archiveAfterOf(gateway),
    origin: gateway.audit?.origin,
    highWaterMark: markOf(gateway, paths),
    tiles: gateway.audit?.tiles ?? false,
    witnesses: witnessesOf(gateway),
    healthIntervalMs:
      gateway.channelHealthCheckMinutes === undefined
        ? limits.health.intervalMs
        : gateway.channelHealthCheckMinutes * MINUTE_MS,
    canvas: canvasOf(file, paths),
    log: { level: file.logging.level ?? 'info', file: file.logging.file },
  };
};

const canvasOf = ({ canvasHost }: ConfigFile, { state }: Paths): CanvasSettings | undefined => {
  const { enabled = true, root = join(state, 'canvas'), liveReload = true, publicUrl } = canvasHost;
  if (!enabled) return undefined;
  if (!isAbsolute(root)) throw new ConfigError('canvasHost.root: must be an absolute path');
  const path = resolve(root);
  if (
    path === state ||
    state.startsWith(`${path}/`) ||
    (path.startsWith(`${state}/`) && path !== join(state, 'canvas'))
  )
    throw new ConfigError(`canvasHost.root: must not hold ${state}, nor be in it but as ${join(state, 'canvas')}`);
  return { root: path, liveReload, publicUrl };
};

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * 60 * 1000;

const archiveAfterOf = ({ audit }: ConfigFile['gateway']): number | undefined => {
  const days = audit?.archiveAfterDays ?? limits.archive.afterDays;
  return days === 0 ? undefined : days * DAY_MS;
};

/** Beside the log it would be restored with the log, and prove nothing. */
const markOf = ({ audit }: ConfigFile['gateway'], { state }: Paths): string | undefined => {
  const said = audit?.highWaterMark;
  if (said === undefined) return undefined;
  if (!isAbsolute(said)) throw new ConfigError('gateway.audit.highWaterMark: must be an absolute path');
  const path = resolve(said);
  if (path === state || path.startsWith(`${state}/`))
    throw new ConfigError(
      `gateway.audit.highWaterMark: must be outside ${state}, in a place that is not restored together with it`,
    );
  return path;
};

/** Settings that would make people believe they are protected by something that is not there. */
const refuseUnserved = (gateway: ConfigFile['gateway']): void => {
  if ((gateway.tls as { enabled?: unknown } | undefined)?.enabled === true) {
    throw new ConfigError(
      'gateway.tls.enabled: TLS is not served here; put a TLS proxy in front, name it in gateway.trustedProxies, and remove this',
    );
  }
  if (gateway.auth?.mode === 'trusted-proxy') {
    throw new ConfigError('gateway.auth.mode: trusted-proxy is not served here; use token or password');
  }
};

const authOf = (flags: Flags, env: Environment, { gateway, path }: ConfigFile): Settings['auth'] => {
  const configured = gateway.auth ?? {};
  const token = firstOf(
    [flags.token, '--token'],
    [env['OPENCLAW_GATEWAY_TOKEN'], 'OPENCLAW_GATEWAY_TOKEN'],
    [configured.token, `gateway.auth.token in ${path}`],
  );
  const password = firstOf(
    [flags.password, '--password'],
    [env['OPENCLAW_GATEWAY_PASSWORD'], 'OPENCLAW_GATEWAY_PASSWORD'],
    [configured.password, `gateway.auth.password in ${path}`],
  );
  const mode = flags.auth ?? configured.mode ?? (password === undefined ? 'token' : 'password');
  switch (mode) {
    case 'none':
      return { mode };
    case 'token':
      return { mode, secret: token };
    case 'password':
      if (password === undefined)
        throw new ConfigError('gateway.auth.mode: password, but there is none; set OPENCLAW_GATEWAY_PASSWORD');
      return { mode, secret: password };
    default:
      throw new ConfigError('--auth: must be one of token, password, none');
  }
};

/** The first that is there and not blank. */
const firstOf = (
  ...places: readonly (readonly [value: string | undefined, from: string])[]
): Configured | undefined => {
  for (const [value, from] of places)
    if (value !== undefined && value.trim() !== '') return { value: value.trim(), from };
  return undefined;
};

const wholeNumber = (name: string, value: number | string, min: number, max: number): number => {
  const number = Number(value);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw new ConfigError(`${name}: must be a whole number from ${min} to ${max}`);
};

const LOOPBACK = ['127.0.0.1', '::1'];

const hostsOf = (bind: string, customHost: string | undefined): readonly string[] => {
  switch (bind) {
    case 'loopback':
    case 'auto':
      return LOOPBACK;
    case 'lan':
      /* Of IPv4, as the original. An IPv6 socket would take both: custom with `::`. */
      return ['0.0.0.0'];
    case 'custom':
      if (customHost === undefined || isIP(customHost) === 0)
        throw new ConfigError('gateway.customBindHost: must be an IP address when gateway.bind is custom');
      return [customHost];
    case 'tailnet':
      throw new ConfigError(
        'gateway.bind: tailnet is not served here; use custom and set gateway.customBindHost to the address',
      );
    default:
      throw new ConfigError('--bind: must be one of loopback, lan, custom');
  }
};
