import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Flags, loadSettings, type Settings } from '../../config/settings.js';
import { exit } from '../../errors.js';
import { CANVAS_HOME } from '../../gateway/canvas.js';
import { type Gateway, startGateway } from '../../gateway/gateway.js';
import { limits } from '../../limits.js';
import { Logging } from '../../logging/logging.js';
import { systemClock, systemEntropy } from '../../runtime.js';
import { hostAndPort } from '../../transport/address.js';
import { Exit, explained, say, tell, whenNobodyReads } from '../output.js';

export interface RunOptions extends Flags {
  readonly newKeys: boolean;
}

/** Runs the gateway until it is told to stop. Each line that says something is running is printed when it does. */
export const run = async (options: RunOptions): Promise<void> => {
  /* Whatever we make is for the owner alone: files, folders, the socket. */
  process.umask(0o077);
  whenNobodyReads('go on');
  const settings = loadSettings(options, process.env);
  const temporary = process.platform === 'win32' ? tmpdir() : '/tmp';
  const log = new Logging({
    level: settings.log.level,
    file: settings.log.file,
    temporary,
    clock: systemClock,
    out: say,
    err: tell,
  });
  const signal = signalled();
  noteWhatHasNoEffect(settings, log);
  const gateway = await begin(options, settings, log);
  noteSecret(gateway, settings, log);
  noteCanvas(gateway, log);
  log.heartbeat.info('started');
  log.health.info(
    `started (interval: ${seconds(settings.healthIntervalMs)}, startup-grace: ${seconds(limits.health.graceMs)}, channel-connect-grace: ${seconds(limits.health.nodeGraceMs)})`,
  );
  log.gateway.info('agent model: none configured');
  log.gateway.info(
    `listening on ${gateway.listening.map((address) => `ws://${hostAndPort(address)}`).join(', ')} (PID ${process.pid})`,
  );
  if (settings.workers > 0)
    log.gateway.info(`workers: ${settings.workers}; they take the connections, PID ${process.pid} writes the log`);
  log.gateway.info(log.file === undefined ? 'log file: none (no folder for it is ours)' : `log file: ${log.file.path}`);
  await stopOn(await signal, gateway, log);
};

const seconds = (ms: number): string => `${Math.round(ms / 1000)}s`;

const begin = async ({ newKeys }: RunOptions, settings: Settings, log: Logging): Promise<Gateway> => {
  try {
    return await startGateway({ settings, clock: systemClock, entropy: systemEntropy(), log, newKeys });
  } catch (error) {
    const { code, words } = explained(error);
    const { name, port } = error as { name: string; port?: number };
    const hint =
      name === 'PortTaken'
        ? [
            `Port ${port} is already in use. Stop what listens there, or choose another: openclaw gateway run --port ${Number(port) + 1}`,
          ]
        : [];
    throw new Exit(code, [`Gateway failed to start: ${words[0] ?? ''}`, ...words.slice(1), ...hint]);
  }
};

const noteWhatHasNoEffect = ({ file, paths }: Settings, log: Logging): void => {
  if (file.ignored.length > 0) log.gateway.info(`${file.path}: without effect here: ${file.ignored.join(', ')}`);
  const edited = ['pending.json', 'paired.json']
    .map((name) => join('devices', name))
    .filter((name) => existsSync(join(paths.state, name)));
  if (edited.length > 0) {
    log.gateway.warn(
      `${edited.join(' and ')} in ${paths.state} have no effect here: who may connect is decided by the log; use openclaw devices list, approve, reject, remove`,
    );
  }
};

const noteCanvas = ({ canvas, listening: [address] }: Gateway, log: Logging): void => {
  if (canvas === undefined || address === undefined) return;
  if (canvas.fault === undefined) log.canvas.info(`host mounted at http://${hostAndPort(address)}${CANVAS_HOME}`);
  else log.canvas.warn(`host cannot serve its folder: ${canvas.fault}`);
};

const noteSecret = ({ secret }: Gateway, { auth }: Settings, log: Logging): void => {
  if (secret === undefined) return log.gateway.warn('auth: none; every program on this host may connect');
  if (secret.made) log.gateway.info(`token: none was configured, so one was made; it is in ${secret.from} (mode 600)`);
  else log.gateway.info(`${auth.mode}: from ${secret.from}`);
};

/**
 * The signal that ends it; heard from the beginning, so that none cuts a start in half. A second one does not wait, unless it is the first again:
 * some supervisors send theirs to the process and to its group.
 */
const signalled = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let first: number | undefined;
    const hear = (signal: NodeJS.Signals): void => {
      const now = systemClock.monotonic();
      first ??= now;
      if (now - first > limits.signals.sameMs) {
        tell('stopped before everything was closed');
        process.exit(exit.refused);
      }
      resolve(signal);
    };
    process.on('SIGTERM', hear);
    process.on('SIGINT', hear);
  });

const stopOn = async (signal: NodeJS.Signals, gateway: Gateway, log: Logging): Promise<void> => {
  log.gateway.info(`signal ${signal} received`);
  log.gateway.info(`received ${signal}; shutting down`);
  await gateway.stop(signal);
  log.close();
};
