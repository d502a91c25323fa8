import * as E from 'fp-ts/lib/Either.js';
import type { Views } from '../../../projections/index.js';
import type { Keys } from '../../credentials/keys.js';
import { refusal } from '../../errors.js';
import type { Close } from '../../protocol/close-codes.js';
import type { Request } from '../../protocol/frames.js';
import type { Socket } from '../../transport/transport.js';
import type { Admission, Core, Entrant } from '../core.js';
import { dispatchRead, refuse } from '../dispatch.js';
import type { Readable } from '../methods/method.js';
import type { Presence } from '../presence.js';
import { type RefusedConnection, refusalRecord } from '../refusal-record.js';
import { deliver, endSession, type Session, sessionOf } from '../session.js';
import type { Link } from './link.js';
import type { FromWorker, ToWorker } from './messages.js';
import type { RefusalRelay } from './refusal-relay.js';

export interface RemoteCoreOptions {
  readonly link: Link<FromWorker>;
  readonly readable: Readable;
  readonly refusals: RefusalRelay;
  readonly presence: Presence;
  readonly views: () => Views;
  readonly keys: Keys;
}

interface Waiting {
  readonly entrant: Entrant;
  readonly socket: Socket;
  readonly answered: (admission: Admission) => void;
}

type ToConnection = Extract<ToWorker, { readonly connection: string }>;

/** The core as a worker has it: what only looks is answered here, the rest where the log is written. */
export class RemoteCore implements Core {
  private readonly waiting = new Map<string, Waiting>();
  private readonly sessions = new Map<string, Session>();
  /** Whoever waits for it to be recorded that a capability is used. */
  private readonly using = new Map<string, readonly ((recorded: boolean) => void)[]>();

  constructor(private readonly options: RemoteCoreOptions) {}

  admit(entrant: Entrant, socket: Socket, answered: (admission: Admission) => void): void {
    if (this.options.link.isFull) return answered(E.left(refusal('busy')));
    this.waiting.set(entrant.around.connection, { entrant, socket, answered });
    this.options.link.say({ is: 'admit', entrant });
  }

  request(request: Request, session: Session, answer: (frame: string) => void): void {
    const { link, readable } = this.options;
    if (dispatchRead(request, session, readable, answer)) return;
    if (link.isFull) return refuse(request.id, session, refusal('busy'), answer);
    link.say({ is: 'request', connection: session.connection, request });
  }

  left({ connection, ending }: Session, close: Close): void {
    this.sessions.delete(connection);
    this.options.link.say({ is: 'left', connection, close, ending });
  }

  refused(refused: RefusedConnection): void {
    const { refusals, views, keys } = this.options;
    const { connection, peer, close, clientClose = close } = refused;
    refusals.record(refusalRecord(refused, views(), keys, ''), { connection, peer, close: clientClose });
  }

  used(capability: string): Promise<boolean> {
    if (this.options.link.isFull) return Promise.resolve(false);
    return new Promise((resolve) => {
      const others = this.using.get(capability);
      this.using.set(capability, [...(others ?? []), resolve]);
      if (others === undefined) this.options.link.say({ is: 'canvas-use', capability });
    });
  }

  /** Whether the log has it that this capability is used. */
  recorded({ capability, recorded }: Extract<ToWorker, { readonly is: 'canvas-used' }>): void {
    const waiting = this.using.get(capability) ?? [];
    this.using.delete(capability);
    for (const resolve of waiting) resolve(recorded);
  }

  /** Something about one of its connections, which may be gone by now. */
  hear(message: ToConnection): void {
    const session = this.sessions.get(message.connection);
    switch (message.is) {
      case 'entered':
        return this.enter(message);
      case 'denied':
        return this.taken(message.connection)?.answered(E.left(message.denied));
      case 'frame':
        return session && deliver(session, message.frame);
      case 'join':
        return session?.socket.join(message.topic);
      case 'end':
        return session?.socket.end(message.code, message.reason);
    }
  }

  /** Their right to be here is gone; their sockets are closed when their turn comes. */
  doom({ connections, ending }: Extract<ToWorker, { readonly is: 'doomed' }>): void {
    for (const connection of connections) {
      const session = this.sessions.get(connection);
      if (session !== undefined) session.ending ??= ending;
    }
  }

  /** Those that are open. */
  all(): Iterable<Session> {
    return this.sessions.values();
  }

  endAll(close: Close): void {
    for (const session of [...this.sessions.values()]) endSession(session, close, { rule: 'stop' });
  }

  private enter({ connection, accepted, token, capability }: Extract<ToWorker, { readonly is: 'entered' }>): void {
    const waiting = this.taken(connection);
    if (waiting === undefined) return;
    const { entrant, socket, answered } = waiting;
    const { knock, dialect } = entrant.verified;
    const session = sessionOf(accepted, knock.params, dialect, socket);
    this.sessions.set(connection, session);
    if (session.presence !== undefined) this.options.presence.touch(session.presence.key, session.presence.claim);
    answered(E.right({ accepted, session, token, capability }));
  }

  private taken(connection: string): Waiting | undefined {
    const waiting = this.waiting.get(connection);
    this.waiting.delete(connection);
    return waiting;
  }
}
