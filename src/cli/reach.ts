import { existsSync } from 'node:fs';
import { isLoopback } from '../addresses.js';
import { loadSettings, type Settings } from '../config/settings.js';
import { keptSecret } from '../credentials/gateway-secret.js';
import { ALL_OPERATOR } from '../decisions/scopes.js';
import { systemClock } from '../runtime.js';
import { Client, type ClientOptions, ConnectRefused, Unreachable } from './client.js';
import { identityIn, storedToken, storeToken } from './identity.js';

/*
 * How a command finds its gateway. On this host: through the socket in the state folder, where whoever can enter is believed; else
 * over loopback, with the secret and the key of this machine. Elsewhere: where it is told to, with what it is told to show.
 */

export interface ReachOptions {
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly password?: string | undefined;
  readonly timeoutMs: number;
  readonly scopes?: readonly string[] | undefined;
  readonly mode?: 'cli' | 'probe';
}

/** A connection that is open, and where it leads. */
export interface Reached {
  readonly client: Client;
  readonly target: Target;
}

export interface Target {
  readonly url: string;
  /** Why there: what a person would change. */
  readonly source: string;
}

/** The command line asks for something that it should not do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const settingsFromHere = (): Settings => loadSettings({}, process.env);

export const targetOf = (options: Pick<ReachOptions, 'url'>, settings: Settings): Target => {
  const { gateway } = settings.file;
  if (options.url !== undefined) {
    if (!/^wss?:\/\/[^/]/.test(options.url) || !URL.canParse(options.url))
      throw new UsageError('--url: must be a WebSocket address, for example ws://127.0.0.1:18789');
    return { url: options.url, source: '--url' };
  }
  if (gateway.mode === 'remote' && gateway.remote?.url !== undefined)
    return { url: gateway.remote.url, source: `gateway.remote.url in ${settings.file.path}` };
  return { url: `ws://127.0.0.1:${settings.port}`, source: 'this host' };
};

/** Connects, or throws Unreachable or ConnectRefused. */
export const reach = async (options: ReachOptions, settings: Settings = settingsFromHere()): Promise<Reached> => {
  const target = targetOf(options, settings);
  if (target.source === 'this host' && existsSync(settings.paths.socket)) {
    const bySocket = await throughSocket(options, settings);
    if (bySocket !== undefined) return bySocket;
  }
  return { client: await byNetwork(options, settings, target), target };
};

const basics = ({ timeoutMs, scopes = ALL_OPERATOR, mode = 'cli' }: ReachOptions) => ({ timeoutMs, scopes, mode });

/** Nobody listening there any more is no reason to give up: the file may have been left behind. */
const throughSocket = async (options: ReachOptions, settings: Settings): Promise<Reached | undefined> => {
  const { socket } = settings.paths;
  try {
    const client = await Client.connect({ ...basics(options), url: `ws+unix://${socket}:/` });
    return { client, target: { url: socket, source: 'the socket of this host' } };
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
};

const byNetwork = async (options: ReachOptions, settings: Settings, { url, source }: Target): Promise<Client> => {
  const { identity: folder } = settings.paths;
  const identity = identityIn(folder, systemClock.now());
  const kept = storedToken(folder, identity.deviceId, 'operator');
  const secrets = secretsFor(options, settings, url, source);
  const withSecret = secrets.token !== undefined || secrets.password !== undefined;
  /* With a token, no more is asked for than it carries: asking for more would file a request each time. */
  const shown: ClientOptions = withSecret
    ? { ...basics(options), url, identity, ...secrets }
    : { ...basics({ scopes: kept?.scopes, ...options }), url, identity, deviceToken: kept?.token };
  try {
    const client = await Client.connect(shown);
    const { auth } = client.hello;
    if (auth?.deviceToken !== undefined)
      storeToken(folder, identity.deviceId, auth.role, {
        token: auth.deviceToken,
        role: auth.role,
        scopes: auth.scopes,
        updatedAtMs: systemClock.now(),
      });
    return client;
  } catch (error) {
    if (error instanceof ConnectRefused && error.error?.details?.code === 'AUTH_DEVICE_TOKEN_MISMATCH')
      storeToken(folder, identity.deviceId, 'operator', undefined);
    throw error;
  }
};

/** What is shown to whom: the secrets of this host are not sent to an address somebody typed (CVE-2026-25253). */
const secretsFor = (
  { token, password }: ReachOptions,
  settings: Settings,
  url: string,
  source: string,
): { readonly token?: string | undefined; readonly password?: string | undefined } => {
  if (token !== undefined || password !== undefined) return { token, password };
  const { remote } = settings.file.gateway;
  if (source !== 'this host' && source !== '--url') return { token: remote?.token, password: remote?.password };
  if (source === '--url' && !leadsHere(url)) {
    const said = process.env['OPENCLAW_GATEWAY_TOKEN'];
    if (said === undefined)
      throw new UsageError(
        'gateway url override requires explicit credentials: add --token or --password, or set OPENCLAW_GATEWAY_TOKEN',
      );
    return { token: said };
  }
  const { auth, paths } = settings;
  const secret = auth.secret?.value ?? (auth.mode === 'token' ? keptSecret(paths.secret)?.value : undefined);
  return auth.mode === 'password' ? { password: secret } : { token: secret };
};

const leadsHere = (url: string): boolean => {
  const { hostname } = new URL(url);
  return hostname === 'localhost' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
};
