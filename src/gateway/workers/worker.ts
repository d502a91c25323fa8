import { GATEWAY } from '../../../projections/index.js';
import { loadKeys } from '../../credentials/keys.js';
import { Reader } from '../../ledger/reader.js';
import { Store } from '../../ledger/store.js';
import { limits } from '../../limits.js';
import { closeCode } from '../../protocol/close-codes.js';
import { systemClock as clock, systemEntropy } from '../../runtime.js';
import { uwsTransport } from '../../transport/server.js';
import type { Transport } from '../../transport/transport.js';
import { type Front, frontOf } from '../front.js';
import type { Snapshot } from '../hello.js';
import { Limiter } from '../limiter.js';
import type { Secret } from '../secret.js';
import { watchSlowConsumers } from '../slow-consumers.js';
import { handlersOf } from '../transport-handlers.js';
import { KeptCheckpoint } from './kept-checkpoint.js';
import type { Link } from './link.js';
import type { Begin, FromWorker, SecretTold, Shown, ToWorker } from './messages.js';
import { readPairList } from './read-pair-list.js';
import { RefusalRelay } from './refusal-relay.js';
import { RemoteCore } from './remote-core.js';

const RESTART = { code: closeCode.serviceRestart, reason: 'service restart' };

/**
 * One of several processes that take connections on the same port, check handshakes, and answer what only looks, on a log that they open to
 * read. It decides nothing: that is done where the log is written.
 */
export class Worker {
  private constructor(
    private readonly link: Link<FromWorker>,
    private readonly front: Front,
    private readonly core: RemoteCore,
    private readonly refusals: RefusalRelay,
    private readonly transport: Transport,
    private readonly secret: { current: Secret | undefined },
    private readonly shown: { current: Shown },
    private readonly secretOf: (told: SecretTold) => Secret,
  ) {}

  static async begin(begin: Begin, link: Link<FromWorker>): Promise<Worker> {
    const { settings, boot, port } = begin;
    const store = new Store({ path: settings.paths.ledger, readOnly: true });
    const reader = new Reader(() => store);
    const views = () => {
      store.refresh();
      return store.views;
    };
    const entropy = systemEntropy();
    const keys = loadKeys(settings.paths.keys, entropy, 'refuse');
    const shown = { current: begin.shown };
    const snapshot = snapshotOf(shown, begin.uptimeMs);
    const log = logOf(link, settings.log.level === 'debug' || settings.log.level === 'trace');
    const secretOf = ({ value, credential }: SecretTold): Secret => ({
      value,
      credential,
      since: () => views().gateway.get(GATEWAY)?.secret?.seq,
    });
    const secret = { current: begin.secret && secretOf(begin.secret) };
    const refusals = new RefusalRelay(clock, link);
    const readable = {
      settings,
      clock,
      log,
      ledger: {
        get views() {
          return views();
        },
      },
      snapshot,
      pairList: readPairList(store, clock),
    };
    const core = new RemoteCore({ link, readable, refusals, views, keys });
    const limiter = new Limiter({
      clock,
      keys,
      views,
      /* The lock-out is recorded where the log is written, by the same count. */
      record: () => {},
      tell: (attempt) => link.say({ is: 'attempt', attempt }),
      limits: settings.limiter,
    });
    const front = frontOf({
      settings,
      clock,
      entropy,
      boot,
      log,
      keys,
      secret,
      limiter,
      views,
      snapshot,
      core,
      reader,
      checkpoints: new KeptCheckpoint(store),
      isReady: () => shown.current.ready,
      among: settings.workers,
    });
    watchSlowConsumers(clock, () => core.all());
    const transport = await uwsTransport({ maxPayloadBytes: settings.maxPayloadBytes, handlers: handlersOf(front) });
    const listening = await transport.listen(settings.hosts, port, 'shared');
    link.say({ is: 'listening', listening });
    return new Worker(link, front, core, refusals, transport, secret, shown, secretOf);
  }

  hear(message: Exclude<ToWorker, Begin>): void {
    switch (message.is) {
      case 'publish':
        return this.transport.publish(message.topic, message.frame);
      case 'shown':
        this.shown.current = message.shown;
        return;
      case 'secret':
        this.secret.current = this.secretOf(message.secret);
        return;
      case 'attempt':
        return this.front.limiter.heard(message.attempt);
      case 'ping':
        return this.link.say({ is: 'pong' });
      case 'stop':
        return this.stop();
      default:
        return this.core.hear(message);
    }
  }

  /** Lets go of everybody, and says so. */
  stop(): void {
    this.transport.stop();
    this.front.preauth.stop();
    this.front.preauth.closeAll();
    this.core.endAll(RESTART);
    this.refusals.turn();
    this.link.say({ is: 'done' });
    this.link.flush();
  }
}

const snapshotOf = (shown: { readonly current: Shown }, uptimeMs: number): Snapshot => {
  const begun = clock.monotonic() - uptimeMs;
  return {
    presence: () => shown.current.presence,
    health: () => shown.current.health,
    healthAge: () => clock.now() - shown.current.healthAt,
    versions: () => shown.current.versions,
    uptime: () => Math.round(clock.monotonic() - begun),
  };
};

/** What a worker has to say is logged by the process that has the log file. */
const logOf = (link: Link<FromWorker>, debug: boolean) => {
  const saying = (subsystem: 'gateway' | 'ws', level: 'debug' | 'warn' | 'error') => (message: string) =>
    link.say({ is: 'said', subsystem, level, message: message.slice(0, limits.log.lineChars) });
  return {
    gateway: { warn: saying('gateway', 'warn'), error: saying('gateway', 'error') },
    ws: { debug: debug ? saying('ws', 'debug') : () => {} },
  };
};
