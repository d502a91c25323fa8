import { mkdirSync, rmSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import { ConfigError } from '../config/file.js';
import type { Settings } from '../config/settings.js';
import { type GatewaySecret, keptSecret, makeSecret } from '../credentials/gateway-secret.js';
import { loadKeys } from '../credentials/keys.js';
import { start } from '../decisions/start.js';
import { privateFolder } from '../files.js';
import { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Logging } from '../logging/logging.js';
import type { Clock, Entropy } from '../ports.js';
import { closeCode } from '../protocol/close-codes.js';
import { type CanvasWatch, watchCanvas } from '../services/canvas/watch.js';
import { beginCheckpoints } from '../services/checkpoints.js';
import { beginExpiry } from '../services/expiry.js';
import * as checks from '../services/health-checks.js';
import { beginHealthTicks } from '../services/health-ticks.js';
import { beginRetention } from '../services/retention.js';
import { beginTicks } from '../services/ticks.js';
import { hostAndPort } from '../transport/address.js';
import { uwsTransport } from '../transport/server.js';
import type { Listening, Transport } from '../transport/transport.js';
import { version } from '../version.js';
import { RELOAD_TOPIC } from './canvas.js';
import { machineHere } from './ceilings.js';
import { type Front, ownFront } from './front.js';
import { noteCeilings, noteMark, noteTiles, noteUncleanEnd, noteUnreadable } from './notes.js';
import { type Parts, putTogether } from './parts.js';
import { beginSigning } from './signing.js';
import { watchSlowConsumers } from './slow-consumers.js';
import { handlersOf } from './transport-handlers.js';
import { WorkerPool } from './workers/pool.js';

export interface GatewayOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Logging;
  /** Make new keys if they were lost, at the price of every device token. */
  readonly newKeys?: boolean;
}

export interface Gateway {
  readonly boot: string;
  readonly listening: readonly Listening[];
  readonly secret: GatewaySecret | undefined;
  readonly canvas: Canvas | undefined;
  /** Tells everybody, closes everything, and leaves the log closed. */
  stop(reason: string): Promise<void>;
}

/** That there is a canvas, or why it cannot be served. */
interface Canvas {
  readonly fault: string | undefined;
  readonly watch: CanvasWatch | undefined;
}

/** Starts: audits the log, listens, records that it does, and only then is there a gateway. Nothing is left behind if it fails. */
export const startGateway = async (options: GatewayOptions): Promise<Gateway> => {
  const { settings, clock, entropy, log } = options;
  privateFolder(settings.paths.state);
  const onBug = (error: unknown): void => log.gateway.error(`unexpected: ${(error as Error).stack ?? String(error)}`);
  const ledger = await Ledger.open({ path: settings.paths.ledger, purpose: 'gateway', clock, entropy, onBug });
  let transport: Transport | undefined;
  let pool: WorkerPool | undefined;
  const publish = (topic: string, frame: string): void => {
    transport?.publish(topic, frame);
    pool?.publish(topic, frame);
  };
  try {
    noteUnreadable(ledger, log);
    const mayBeLost = ledger.log.position > 0 && options.newKeys !== true;
    const keys = loadKeys(settings.paths.keys, entropy, mayBeLost ? 'refuse' : 'make');
    const checkpoints = await beginSigning({ ledger, keys, settings, entropy });
    const secret = secretOf(settings, entropy);
    const parts = putTogether({
      settings,
      clock,
      entropy,
      log,
      ledger,
      keys,
      checkpoints,
      secret,
      publish,
    });
    const front = ownFront(parts);
    transport = await uwsTransport({
      maxPayloadBytes: settings.maxPayloadBytes,
      handlers: handlersOf(front),
    });
    const listening = await transport.listen(settings.hosts, settings.port);
    /* Nobody else had the port, so it is that of the workers. */
    if (settings.workers > 0) transport.stop();

    noteUncleanEnd(parts);
    await recordStart(parts, listening, secret);
    /* The start ends the sessions of the run before, so nobody is let in ahead of it. */
    if (settings.workers > 0) {
      pool = new WorkerPool(parts, listening[0]?.port ?? 0);
      await pool.begin().catch(recordFalseStart(parts));
    }
    noteMark(checkpoints, settings, log);
    noteTiles(settings, log);
    noteCeilings(ledger, settings, log);
    const socketFile = await transport.listenOnFile(settings.paths.socket);
    if (!socketFile)
      log.gateway.warn(
        `no socket at ${settings.paths.socket}: its path may be too long, and the command line needs the gateway token instead`,
      );
    const canvas = canvasOf(settings, clock, () => publish(RELOAD_TOPIC, 'reload'));
    const stop = running(parts, front, transport, pool, listening, canvas?.watch);
    return { boot: parts.boot, listening, secret, canvas, stop };
  } catch (error) {
    transport?.stop();
    await pool?.stop();
    await ledger.close();
    throw error;
  }
};

/** Its folder is made where it is not there. Without one the rest runs. */
const canvasOf = ({ canvas }: Settings, clock: Clock, changed: () => void): Canvas | undefined => {
  if (canvas === undefined) return undefined;
  try {
    mkdirSync(canvas.root, { recursive: true, mode: 0o700 });
  } catch (error) {
    return { fault: (error as Error).message, watch: undefined };
  }
  return { fault: undefined, watch: canvas.liveReload ? watchCanvas(canvas.root, clock, changed) : undefined };
};

/** The one that is configured, or the one we made, or in token mode one that we make now. */
const secretOf = ({ auth, paths }: Settings, entropy: Entropy): GatewaySecret | undefined =>
  auth.secret ?? (auth.mode === 'token' ? (keptSecret(paths.secret) ?? makeSecret(paths.secret, entropy)) : undefined);

const recordStart = async (
  { ledger, boot, keys, settings }: Parts,
  listening: Gateway['listening'],
  secret: GatewaySecret | undefined,
): Promise<void> => {
  const started = {
    boot,
    pid: process.pid,
    version,
    runtime: `node ${process.versions.node}`,
    authMode: settings.auth.mode,
    listening: listening.map(hostAndPort),
    tokenKey: keys.tokenKey,
    ...(secret === undefined ? {} : { secret: keys.fingerprint(secret.value) }),
  };
  const outcome = await ledger.decide({
    decide: (views) => start(views, { started, source: secret?.from }),
    answer: () => undefined,
  });
  if (E.isRight(outcome)) return;
  const { code, message } = outcome.left;
  throw code === 'secret-leaked' ? new ConfigError(message) : new Error(`the start could not be recorded: ${message}`);
};

/** It was said that the gateway starts, and now it does not. */
const recordFalseStart =
  (parts: Parts) =>
  (error: Error): never => {
    recordStop(parts, `the workers could not begin: ${error.message}`);
    throw error;
  };

const recordStop = ({ ledger, boot, uptime }: Parts, reason: string): void =>
  ledger.record([
    {
      type: 'gateway.stopped',
      subject: subjectOf.gateway,
      actor: { kind: 'gateway', rule: 'stop' },
      data: { boot, reason, uptimeMs: uptime() },
    },
  ]);

/** Begins what goes on by itself. What it returns ends the gateway. */
const running = (
  parts: Parts,
  front: Front,
  transport: Transport,
  pool: WorkerPool | undefined,
  listening: readonly Listening[],
  watch: CanvasWatch | undefined,
): Gateway['stop'] => {
  const {
    clock,
    ledger,
    archiver,
    boot,
    announcer,
    sessions,
    refusals,
    uptime,
    settings,
    desk,
    invocations,
    nodeReports,
    monitor,
  } = parts;
  const stops = [
    beginTicks({ clock, tick: () => announcer.tick(), refreshHealth: () => announcer.refreshHealth() }),
    watchSlowConsumers(clock, () => sessions.all()),
    beginExpiry({ clock, ledger }),
    beginHealthTicks({
      clock,
      ledger,
      folder: settings.paths.ledger,
      boot,
      uptime,
      connections: () => sessions.count,
      intervalMs: settings.healthIntervalMs,
    }),
    monitor.begin(checksOf(parts, front, listening, watch)),
    () => watch?.stop(),
    retaining(parts),
    signing(parts),
    parts.witnesses.begin(),
  ];
  return async (reason) => {
    for (const stop of stops) stop();
    desk.stop();
    transport.stop();
    announcer.shutdown();
    front.preauth.stop();
    front.preauth.closeAll();
    invocations.stop();
    nodeReports.stop();
    await pool?.stop();
    sessions.endAll({ code: closeCode.serviceRestart, reason: 'service restart' }, 'stop');
    refusals.stop();
    await archiver.stop();
    recordStop(parts, reason);
    await signLast(parts);
    await ledger.close();
    transport.close();
    rmSync(settings.paths.socket, { force: true });
  };
};

/** What is looked at, and found well or not. */
const checksOf = (
  { ledger, clock, settings, sessions }: Parts,
  { selfPath }: Front,
  [address]: readonly Listening[],
  watch: CanvasWatch | undefined,
) => [
  ...(address === undefined
    ? []
    : [checks.listener(`ws://${hostAndPort({ ...address, host: reachable(address.host) })}${selfPath}`)]),
  checks.log(ledger),
  checks.views(ledger),
  checks.disk(settings.paths.ledger),
  checks.descriptors(machineHere().openFiles),
  checks.loopDelay(),
  checks.wallClock(clock),
  ...(settings.canvas === undefined ? [] : [checks.canvas(settings.canvas.root, watch)]),
  checks.nodes({ views: () => ledger.views, here: () => sessions.nodes(), clock }),
];

/** Who listens everywhere can be reached here. */
const reachable = (host: string): string => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host);

const signing = ({ clock, ledger, checkpoints, log }: Parts): (() => void) =>
  beginCheckpoints({
    clock,
    ledger,
    checkpoints,
    failed: (why) => log.gateway.warn(`no checkpoint could be signed: ${why}`),
  });

/** What is in the log when it ends is signed for. A mark on a disk that hangs holds nobody up for long. */
const signLast = async ({ ledger, checkpoints, clock, log }: Parts): Promise<void> => {
  await ledger.decide({ decide: () => E.right([]), answer: () => undefined });
  const late = new Promise<void>((resolve) => clock.after(limits.ledger.lastCheckpointMs, resolve));
  const signed = checkpoints.now().then(
    (outcome) => (E.isLeft(outcome) ? outcome.left.message : undefined),
    (error: Error) => error.message,
  );
  const why = await Promise.race([signed, late.then(() => 'the high-water mark takes too long')]);
  if (why !== undefined) log.gateway.warn(`the last checkpoint could not be signed: ${why}`);
};

const retaining = ({ clock, archiver, settings, log }: Parts): (() => void) =>
  beginRetention({
    clock,
    archiver,
    archiveAfterMs: settings.archiveAfterMs,
    done: ({ events, segments }) =>
      log.gateway.info(`${events} old events moved to the archive (${segments.length} segments)`),
    failed: (error) => log.gateway.warn(`old events could not be moved to the archive: ${(error as Error).message}`),
  });
