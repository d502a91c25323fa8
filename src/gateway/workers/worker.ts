import { closeCode } from '../../protocol/close-codes.js';
import { systemClock as clock } from '../../runtime.js';
import { uwsTransport } from '../../transport/server.js';
import type { Transport } from '../../transport/transport.js';
import { watchSlowConsumers } from '../slow-consumers.js';
import { handlersOf } from '../transport-handlers.js';
import type { Link } from './link.js';
import type { Begin, FromWorker, ToWorker } from './messages.js';
import { putTogether, type WorkerParts } from './worker-parts.js';

const RESTART = { code: closeCode.serviceRestart, reason: 'service restart' };

/**
 * One of several processes that take connections on the same port, check handshakes, and answer what only looks, on a log that they open to
 * read. It decides nothing: that is done where the log is written.
 */
export class Worker {
  private constructor(
    private readonly link: Link<FromWorker>,
    private readonly parts: WorkerParts,
    private readonly transport: Transport,
  ) {}

  static async begin(begin: Begin, link: Link<FromWorker>): Promise<Worker> {
    const { settings, port } = begin;
    const parts = putTogether(begin, link);
    const { front, core } = parts;
    watchSlowConsumers(clock, () => core.all());
    const transport = await uwsTransport({ maxPayloadBytes: settings.maxPayloadBytes, handlers: handlersOf(front) });
    const listening = await transport.listen(settings.hosts, port, 'shared');
    link.say({ is: 'listening', listening });
    return new Worker(link, parts, transport);
  }

  hear(message: Exclude<ToWorker, Begin>): void {
    const { front, core, secret, secretOf, show } = this.parts;
    switch (message.is) {
      case 'publish':
        return this.transport.publish(message.topic, message.frame);
      case 'shown':
        return show(message.shown);
      case 'secret':
        secret.current = secretOf(message.secret);
        return;
      case 'doomed':
        return core.doom(message);
      case 'attempt':
        return front.limiter.heard(message.attempt);
      case 'canvas-used':
        return core.recorded(message);
      case 'ping':
        return this.link.say({ is: 'pong' });
      case 'stop':
        return this.stop();
      default:
        return core.hear(message);
    }
  }

  /** Lets go of everybody, and says so. */
  stop(): void {
    const { front, core, refusals } = this.parts;
    this.transport.stop();
    front.preauth.stop();
    front.preauth.closeAll();
    core.endAll(RESTART);
    refusals.turn();
    this.link.say({ is: 'done' });
    this.link.flush();
  }
}
