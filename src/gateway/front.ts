import type { Views } from '../../projections/index.js';
import type { Settings } from '../config/settings.js';
import type { Keys } from '../credentials/keys.js';
import type { Reader } from '../ledger/reader.js';
import type { Subsystem } from '../logging/logging.js';
import type { Clock, Entropy } from '../ports.js';
import { Canvas } from './canvas.js';
import { type Core, LedgerCore } from './core.js';
import type { Gate } from './handshake.js';
import { Hello, type Snapshot } from './hello.js';
import type { Limiter } from './limiter.js';
import { methods } from './methods/index.js';
import type { Parts } from './parts.js';
import { Preauth } from './preauth.js';
import type { SecretInForce } from './secret.js';
import { SignatureBudget } from './signature-budget.js';
import { Tiles, type TilesOptions } from './tiles.js';
import { Turns } from './turns.js';

/** What stands before the core and takes connections: in the process that writes the log, or in a worker. */
export interface Front {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: { readonly ws: Pick<Subsystem, 'debug'> };
  readonly gate: Gate;
  readonly limiter: Limiter;
  readonly preauth: Preauth;
  readonly turns: Turns;
  readonly hello: Hello;
  readonly core: Core;
  /** The log over plain HTTP; undefined where that is off. */
  readonly tiles: Tiles | undefined;
  /** Undefined where it is off. */
  readonly canvas: Canvas | undefined;
  /** Components that are not well enough to let anybody in. */
  readonly failing: () => readonly string[];
  /** Path of the connections that the gateway makes to itself: they go without a word, and that is no event. */
  readonly selfPath: string;
}

export interface FrontOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly boot: string;
  readonly log: { readonly ws: Pick<Subsystem, 'debug'>; readonly gateway: Pick<Subsystem, 'warn'> };
  readonly keys: Keys;
  readonly secret: Pick<SecretInForce, 'current'>;
  readonly limiter: Limiter;
  readonly views: () => Views;
  readonly snapshot: Snapshot;
  readonly core: Core;
  readonly reader: Reader;
  readonly checkpoints: TilesOptions['checkpoints'];
  readonly failing: () => readonly string[];
  /** Processes that share the room for sockets whose owners nobody knows yet. */
  readonly among?: number;
}

export const frontOf = (options: FrontOptions): Front => {
  const { settings, clock, entropy, log, limiter, core, failing, among = 1 } = options;
  const { boot, keys, secret, views, snapshot, reader, checkpoints } = options;
  return {
    settings,
    clock,
    entropy,
    log,
    gate: {
      mode: settings.auth.mode,
      secret,
      origins: settings,
      limiter,
      signatures: new SignatureBudget(clock, among),
      keys,
      views,
    },
    limiter,
    preauth: new Preauth(clock, settings, { among }),
    turns: new Turns(clock),
    hello: new Hello({ boot, settings, methods: [...methods.keys()], snapshot, keys }),
    core,
    tiles: settings.tiles
      ? new Tiles({
          clock,
          log: reader,
          checkpoints,
          damaged: ({ message }) => log.gateway.warn(`${message}: whoever reads the log over HTTP is told so`),
        })
      : undefined,
    canvas:
      settings.canvas === undefined
        ? undefined
        : new Canvas({
            root: settings.canvas.root,
            clock,
            keys,
            views,
            used: (capability) => core.used(capability),
            failing,
            uptime: snapshot.uptime,
          }),
    failing,
    selfPath: `/__openclaw__/self/${keys.digest(`self ${boot}`)}`,
  };
};

/** The front of the process that writes the log. */
export const ownFront = (parts: Parts): Front => {
  const { settings, clock, entropy, boot, log, keys, secret, limiter, ledger, snapshot, checkpoints, failing } = parts;
  return frontOf({
    settings,
    clock,
    entropy,
    boot,
    log,
    keys,
    secret,
    limiter,
    views: () => ledger.views,
    snapshot,
    core: new LedgerCore(parts),
    reader: ledger.log,
    checkpoints,
    failing,
  });
};
