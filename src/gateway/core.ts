import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type EventOf, subjectOf } from '../../events/index.js';
import type { DeviceToken, Views } from '../../projections/index.js';
import { useCapability } from '../decisions/canvas.js';
import type { ConnectDenied } from '../decisions/connect.js';
import type { Refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Close } from '../protocol/close-codes.js';
import type { Request } from '../protocol/frames.js';
import { plain } from '../text.js';
import type { Socket } from '../transport/transport.js';
import { admission, connectCommand, type Surroundings } from './admission.js';
import { dispatch } from './dispatch.js';
import type { Verified } from './handshake.js';
import type { Parts } from './parts.js';
import { type RefusedConnection, refusalRecord } from './refusal-record.js';
import { type Session, sessionOf } from './session.js';

/*
 * What a connection needs behind the door. Connections stand before it in this process, and in the workers; the core is where the log is
 * written.
 */

/** Everything about a handshake has been checked that can be without the log. */
export interface Entrant {
  readonly verified: Verified;
  readonly around: Surroundings;
}

/** It is in: its acceptance is on the disk. */
export interface Entered {
  readonly accepted: EventOf<'connection.accepted'>;
  readonly session: Session;
  /** The device token that it is told. */
  readonly token: DeviceToken | undefined;
  /** By which a node may look at the canvas. */
  readonly capability?: string | undefined;
}

export type Admission = Either<ConnectDenied | Refusal, Entered>;

export interface Core {
  /** The log has the last word. Who is in, and then finds that its socket is gone, has `left`. */
  admit(entrant: Entrant, socket: Socket, answered: (admission: Admission) => void): void;
  request(request: Request, session: Session, answer: (frame: string) => void): void;
  /** The socket of a session is gone. */
  left(session: Session, close: Close): void;
  /** It was never let in, and is gone. */
  refused(connection: RefusedConnection): void;
  /** By a capability, known by its digest, somebody looks at the canvas. False where the log cannot have it. */
  used(capability: string): Promise<boolean>;
}

/** The core beside the log, for the connections of one worker; those of this process are worker 0. */
export class LedgerCore implements Core {
  constructor(
    private readonly parts: Parts,
    private readonly worker = 0,
  ) {}

  admit({ verified, around }: Entrant, socket: Socket, answered: (admission: Admission) => void): void {
    const { parts, worker } = this;
    const command = connectCommand(verified, around, { ...parts.admission, worker });
    const answer = (accepted: EventOf<'connection.accepted'>, views: Views): Entered => ({
      accepted,
      session: sessionOf(accepted, verified.knock.params, verified.dialect, socket),
      token: tokenTold(accepted, views),
      capability: command.canvas?.capability,
    });
    parts.ledger.commit(admission(command, answer), (outcome) => {
      if (E.isLeft(outcome)) return answered(outcome);
      const { session } = outcome.right;
      this.arrived(session);
      answered(outcome);
      parts.broadcast.join(session);
    });
  }

  request(request: Request, session: Session, answer: (frame: string) => void): void {
    /* A worker may have heard it before it heard of the end. */
    if (session.ending === undefined) dispatch(request, session, this.parts, answer);
  }

  left(session: Session, { code, reason }: Close): void {
    const { parts, worker } = this;
    this.gone(session);
    const { connection, ending, device, credential } = session;
    parts.ledger.record([
      {
        type: 'connection.closed',
        subject: subjectOf.connection(connection),
        actor: ending ? { kind: 'gateway', rule: ending.rule } : { kind: 'connection', connection, device, credential },
        cause: ending?.cause ?? session.seq,
        data: {
          connection,
          boot: parts.boot,
          worker,
          device,
          code,
          reason: plain(reason, limits.claims.reasonChars) ?? '',
          durationMs: Math.max(0, parts.clock.now() - session.since),
        },
      },
    ]);
  }

  refused(refused: RefusedConnection): void {
    const { log, refusals, ledger, keys, admission: own } = this.parts;
    const { connection, peer, close, clientClose = close } = refused;
    log.closedBeforeConnect({ connection, peer, close: clientClose });
    refusals.record(refusalRecord(refused, ledger.views, keys, own.osUser));
  }

  async used(capability: string): Promise<boolean> {
    const outcome = await this.parts.ledger.decide({
      decide: (views, moment) => E.right(useCapability(views, capability, moment)),
      answer: () => undefined,
    });
    return E.isRight(outcome);
  }

  /** It is here no more. */
  gone(session: Session): void {
    const { sessions, presence, announcer, invocations } = this.parts;
    sessions.delete(session);
    if (session.node !== undefined) invocations.left(session);
    if (session.presence === undefined) return;
    if (session.device !== undefined && sessions.isConnected(session.device)) return;
    presence.leave(session.presence.key);
    announcer.presenceChanged('left');
  }

  private arrived(session: Session): void {
    const { sessions, presence, announcer } = this.parts;
    sessions.add(session);
    if (session.presence === undefined) return;
    presence.touch(session.presence.key, session.presence.claim);
    announcer.presenceChanged('came');
  }
}

/** The token that an accepted connect is told: the one its event names. */
const tokenTold = (
  { data: { device, role, token } }: EventOf<'connection.accepted'>,
  views: Views,
): DeviceToken | undefined => {
  const current = device === undefined ? undefined : views.paired.get(device)?.tokens[role];
  return current?.token === token ? current : undefined;
};
