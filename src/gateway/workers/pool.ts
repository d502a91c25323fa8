import { subjectOf } from '../../../events/index.js';
import { limits } from '../../limits.js';
/* Processes live in real time, whatever clock the gateway is given. */
import { systemClock as clock } from '../../runtime.js';
import { type Listening, PortTaken } from '../../transport/transport.js';
import type { Parts } from '../parts.js';
import type { FromWorker, SecretTold, Shown, ToWorker } from './messages.js';
import { RemoteWorker } from './remote-worker.js';

interface Starting {
  readonly resolve: (listening: readonly Listening[]) => void;
  readonly reject: (error: Error) => void;
}

/** The workers of a gateway: so many, all of the time. One that ends is on the record with the connections it took along, and is replaced. */
export class WorkerPool {
  private readonly workers = new Set<RemoteWorker>();
  private readonly starting = new Map<RemoteWorker, Starting>();
  private readonly stops: readonly (() => void)[];
  private started = 0;
  private pauseMs: number = limits.workers.pauseMs;
  private look: Shown;
  private stopping: { readonly left: Set<RemoteWorker>; readonly done: () => void } | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly port: number,
  ) {
    const { ledger, sessions } = parts;
    this.look = this.lookAnew();
    ledger.listen({
      enforce: ({ type }) => {
        if (type === 'gateway.secret-rotated') this.tellSecret();
      },
    });
    sessions.listen((ended, ending) => {
      for (const worker of this.workers) worker.doom(ended, ending);
    });
    this.stops = [
      clock.every(limits.workers.showMs, () => {
        if (this.look.versions.presence !== parts.presence.version) this.look = this.lookAnew();
        for (const worker of this.workers) worker.show();
      }),
      clock.every(limits.workers.pingMs, () => this.ping()),
    ];
  }

  /** All of them listen. Throws PortTaken, or why one cannot begin. */
  async begin(): Promise<readonly Listening[]> {
    const all = await Promise.all(Array.from({ length: this.parts.settings.workers }, () => this.start()));
    return all[0] ?? [];
  }

  publish(topic: string, frame: string): void {
    this.tell({ is: 'publish', topic, frame });
  }

  /** All their connections have ended, or they take too long. */
  async stop(): Promise<void> {
    for (const stop of this.stops) stop();
    const left = new Set(this.workers);
    const ended = new Promise<void>((resolve) => {
      this.stopping = { left, done: resolve };
      clock.after(limits.workers.stopMs, resolve);
      if (left.size === 0) resolve();
    });
    this.tell({ is: 'stop' });
    await ended;
    for (const worker of this.workers) worker.dismiss();
  }

  private tellSecret(): void {
    const { secret } = this;
    if (secret !== undefined) this.tell({ is: 'secret', secret });
  }

  private get secret(): SecretTold | undefined {
    const { current } = this.parts.secret;
    return current && { value: current.value, credential: current.credential };
  }

  private tell(message: ToWorker): void {
    for (const worker of this.workers) worker.say(message);
  }

  private async start(): Promise<readonly Listening[]> {
    const worker = this.fork();
    this.workers.add(worker);
    return new Promise((resolve, reject) => this.starting.set(worker, { resolve, reject }));
  }

  private fork(): RemoteWorker {
    const { settings, boot, uptime } = this.parts;
    return new RemoteWorker(++this.started, this.parts, this, {
      is: 'begin',
      settings,
      boot,
      port: this.port,
      secret: this.secret,
      shown: this.shown(),
      uptimeMs: uptime(),
    });
  }

  hear(message: FromWorker, from: RemoteWorker): void {
    const { limiter, refusals, log } = this.parts;
    switch (message.is) {
      case 'listening':
        return this.began(from)?.resolve(message.listening);
      case 'failed': {
        const { why, taken } = message;
        this.starting.get(from)?.reject(taken === undefined ? new Error(why) : new PortTaken(taken.host, taken.port));
        return from.kill();
      }
      case 'refused':
        log.closedBeforeConnect(message.closed);
        return refusals.record(message.refusal);
      case 'counted':
        log.leftOut(message.counted.total);
        return refusals.add(message.counted);
      case 'attempt':
        limiter.heard(message.attempt);
        for (const worker of this.workers) if (worker !== from) worker.say(message);
        return;
      case 'said':
        return log[message.subsystem][message.level](message.message);
      case 'done':
        return this.ended(from);
      default:
    }
  }

  gone(worker: RemoteWorker, how: string): void {
    this.workers.delete(worker);
    const starting = this.began(worker);
    /* Who starts it hears of it. */
    if (starting !== undefined) starting.reject(new Error(`worker ${worker.number} ${how}`));
    else if (this.stopping === undefined || worker.connections > 0) this.recordLoss(worker, how);
    if (this.stopping !== undefined) this.ended(worker);
    else if (starting === undefined) this.replaceLost(worker);
  }

  private recordLoss({ number, connections }: RemoteWorker, how: string): void {
    const { log, ledger, boot } = this.parts;
    log.gateway.error(`worker ${number} ${how}; ${connections} connections are lost`);
    ledger.record([
      {
        type: 'gateway.worker-lost',
        subject: subjectOf.gateway,
        actor: { kind: 'gateway', rule: 'worker-lost' },
        data: { boot, worker: number, connections, how },
      },
    ]);
  }

  /** Sooner if it lived for long than if workers end again and again. */
  private replaceLost({ begunAt }: RemoteWorker): void {
    const { pauseMs, longestPauseMs } = limits.workers;
    if (clock.monotonic() - begunAt > longestPauseMs) this.pauseMs = pauseMs;
    this.replaceSoon();
  }

  private replaceSoon(): void {
    clock.after(this.pauseMs, () => void this.replace());
    this.pauseMs = Math.min(limits.workers.longestPauseMs, this.pauseMs * 2);
  }

  private async replace(): Promise<void> {
    if (this.stopping !== undefined) return;
    const { log, settings } = this.parts;
    try {
      await this.start();
      log.gateway.info(`another worker took its place: ${this.workers.size} of ${settings.workers} are there`);
    } catch (error) {
      log.gateway.error(`a worker cannot begin: ${(error as Error).message}`);
      this.replaceSoon();
    }
  }

  private began(worker: RemoteWorker): Starting | undefined {
    const starting = this.starting.get(worker);
    this.starting.delete(worker);
    return starting;
  }

  private ended(worker: RemoteWorker): void {
    if (this.stopping === undefined) return;
    this.stopping.left.delete(worker);
    if (this.stopping.left.size === 0) this.stopping.done();
  }

  /** Who is here may be older: a list for each who comes would cost more than letting it in. A worker adds those that come in at it. */
  shown(): Shown {
    const { versions, failing } = this.look;
    if (this.parts.health.version !== versions.health || String(this.parts.failing()) !== String(failing))
      this.look = this.lookAnew();
    return this.look;
  }

  private lookAnew(): Shown {
    const { clock: told, snapshot, presence, failing } = this.parts;
    return {
      presence: presence.kept(),
      health: snapshot.health(),
      healthAt: told.now() - snapshot.healthAge(),
      versions: snapshot.versions(),
      failing: failing(),
    };
  }

  /** One that does not answer for long hangs, and with it its connections. */
  private ping(): void {
    for (const worker of this.workers) {
      if (worker.unanswered >= limits.workers.unanswered) worker.kill();
      else worker.ping();
    }
  }
}
