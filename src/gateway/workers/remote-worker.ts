import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { closeCode } from '../../protocol/close-codes.js';
import { systemClock as clock } from '../../runtime.js';
import type { Socket } from '../../transport/transport.js';
import { type Entrant, LedgerCore } from '../core.js';
import type { Parts } from '../parts.js';
import { deliver, type Ending, type Session } from '../session.js';
import { Link } from './link.js';
import type { Begin, FromWorker, Shown, ToWorker } from './messages.js';

const PROGRAM = fileURLToPath(new URL('./worker-process.js', import.meta.url));

/** What the pool does with what it hears of a worker. */
export interface Overseer {
  /** It says something that is not about a connection. */
  hear(message: FromWorker, from: RemoteWorker): void;
  /** What the workers show of the gateway. */
  shown(): Shown;
  gone(worker: RemoteWorker, how: string): void;
}

const LOST = { code: closeCode.abnormal, reason: '' };

/** A worker as the process that writes the log has it: its process, and the sessions whose sockets are there. */
export class RemoteWorker {
  private readonly child: ChildProcess;
  private readonly link: Link<ToWorker>;
  private readonly sessions = new Map<string, Session>();
  private readonly core: LedgerCore;
  private lost = false;
  private has: Shown;
  /** When it was started (ms, monotonic). */
  readonly begunAt = clock.monotonic();
  /** Pings since it was heard last. */
  unanswered = 0;

  constructor(
    /** Never used twice in a run: its connections are told apart by it. */
    readonly number: number,
    parts: Parts,
    private readonly overseer: Overseer,
    begin: Begin,
  ) {
    this.core = new LedgerCore(parts, number);
    this.has = begin.shown;
    /* It needs nothing of our environment, where a secret may be. */
    this.child = fork(PROGRAM, [], { env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.link = new Link(
      (batch, taken) => !this.child.connected || this.child.send(batch, undefined, undefined, taken),
      () => this.kill(),
    );
    this.child.on('message', (batch: readonly FromWorker[]) => {
      this.unanswered = 0;
      for (const message of batch) this.hear(message);
    });
    this.child.on('error', (error) => this.end(error.message));
    this.child.on('exit', (code, signal) => this.end(signal === null ? `ended with ${code}` : `ended by ${signal}`));
    this.say(begin);
  }

  get connections(): number {
    return this.sessions.size;
  }

  say(message: ToWorker): void {
    this.link.say(message);
  }

  /** What it shows of the gateway is as the overseer has it. */
  show(): void {
    const shown = this.overseer.shown();
    if (shown === this.has) return;
    this.has = shown;
    this.say({ is: 'shown', shown });
  }

  /** It answers some of its sessions itself, and they are told of their end a slice a turn: it has to know before. */
  doom(ended: readonly Session[], ending: Ending): void {
    const connections = ended.flatMap(({ connection }) => (this.sessions.has(connection) ? connection : []));
    if (connections.length > 0) this.say({ is: 'doomed', connections, ending });
  }

  ping(): void {
    this.unanswered++;
    this.say({ is: 'ping' });
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Its channel is closed, and then it ends. */
  dismiss(): void {
    this.link.flush();
    if (this.child.connected) this.child.disconnect();
  }

  private hear(message: FromWorker): void {
    switch (message.is) {
      case 'admit':
        return this.admit(message.entrant);
      case 'request': {
        const session = this.sessions.get(message.connection);
        return (
          session &&
          this.core.request(message.request, session, (frame) => {
            this.show();
            deliver(session, frame);
          })
        );
      }
      case 'left': {
        const session = this.sessions.get(message.connection);
        if (session === undefined) return;
        this.sessions.delete(message.connection);
        if (message.ending !== undefined) session.ending ??= message.ending;
        return this.core.left(session, message.close);
      }
      case 'canvas-use': {
        const { capability } = message;
        return void this.core
          .used(capability)
          .then((recorded) => this.say({ is: 'canvas-used', capability, recorded }));
      }
      default:
        return this.overseer.hear(message, this);
    }
  }

  private admit(entrant: Entrant): void {
    const { connection } = entrant.around;
    this.core.admit(entrant, new RemoteSocket(connection, this.link), (admission) => {
      if (E.isLeft(admission)) return this.say({ is: 'denied', connection, denied: admission.left });
      const { accepted, session, token, capability } = admission.right;
      if (this.lost) return this.core.left(session, LOST);
      this.sessions.set(connection, session);
      this.say({ is: 'entered', connection, accepted, token, capability });
    });
  }

  /** Nothing is heard of it any more. Its sessions end with one event, not each with its own. */
  private end(how: string): void {
    if (this.lost) return;
    this.lost = true;
    this.overseer.gone(this, how);
    for (const session of this.sessions.values()) this.core.gone(session);
    this.sessions.clear();
  }
}

/** A socket that is in a worker. */
class RemoteSocket implements Socket {
  constructor(
    private readonly connection: string,
    private readonly link: Link<ToWorker>,
  ) {}

  /** It is looked after where it is. */
  readonly buffered = 0;

  /** Whether it takes the frame is seen where it is. */
  send(frame: string): boolean {
    this.link.say({ is: 'frame', connection: this.connection, frame });
    return true;
  }

  join(topic: string): void {
    this.link.say({ is: 'join', connection: this.connection, topic });
  }

  end(code: number, reason: string): void {
    this.link.say({ is: 'end', connection: this.connection, code, reason });
  }

  cut(): void {
    this.end(closeCode.policy, '');
  }
}
