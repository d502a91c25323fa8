import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import JSON5 from 'json5';
import { type Codec, decode } from '../codec.js';
import { CanvasConfig, GatewayConfig, LogConfig, withoutEffect } from './schema.js';

/** A configuration that cannot be used: what is wrong, and where. Exit code 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** openclaw.json as it was found. */
export interface ConfigFile {
  readonly path: string;
  readonly exists: boolean;
  readonly gateway: GatewayConfig;
  readonly logging: LogConfig;
  readonly canvasHost: CanvasConfig;
  /** Keys that change nothing here. */
  readonly ignored: readonly string[];
}

/** Reads and checks the file. A file made for the original is welcome: what is not ours is passed over, and named. */
export const readConfig = (path: string): ConfigFile => {
  const raw = readIfThere(path);
  if (raw === undefined) return { path, exists: false, gateway: {}, logging: {}, canvasHost: {}, ignored: [] };
  const root = parse(path, raw);
  const { gateway = {}, logging = {}, canvasHost = {}, ...rest } = root;
  if (!isObject(logging)) throw new ConfigError(`${path}: logging: must be object`);
  const known = { level: logging['level'], file: logging['file'] };
  return {
    path,
    exists: true,
    gateway: checked(path, 'gateway', GatewayConfig, gateway),
    logging: checked(
      path,
      'logging',
      LogConfig,
      Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    ),
    canvasHost: checked(path, 'canvasHost', CanvasConfig, canvasHost),
    ignored: [
      ...Object.keys(rest),
      ...withoutEffect.filter((keys) => valueAt(gateway, keys) !== undefined).map((keys) => `gateway.${keys}`),
      ...(valueAt(canvasHost, 'port') === undefined ? [] : ['canvasHost.port']),
    ],
  };
};

/** What stands at a dotted path. */
const valueAt = (value: unknown, keys: string): unknown =>
  keys.split('.').reduce((inner, key) => (inner as Readonly<Record<string, unknown>> | undefined)?.[key], value);

const readIfThere = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
};

const parse = (path: string, raw: string): Readonly<Record<string, unknown>> => {
  let root: unknown;
  try {
    root = JSON5.parse(raw);
  } catch (error) {
    const { lineNumber, columnNumber } = error as { lineNumber?: number; columnNumber?: number };
    throw new ConfigError(`${path} is not JSON5: line ${lineNumber}, column ${columnNumber}`);
  }
  if (!isObject(root)) throw new ConfigError(`${path} must hold an object`);
  return root;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const checked = <A>(path: string, section: string, type: Codec<A>, value: unknown): A => {
  const result = decode(type, value);
  if (E.isRight(result)) return result.right;
  const problems = result.left.map(({ path: keys, rule }) => `${[section, ...keys].join('.')}: ${rule}`);
  throw new ConfigError(`${path}: ${problems.join('; ')}`);
};
