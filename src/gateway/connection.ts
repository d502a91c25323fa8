import * as E from 'fp-ts/lib/Either.js';
import { type EventOf, subjectOf } from '../../events/index.js';
import type { DeviceToken, Views } from '../../projections/index.js';
import { decode, rulesOf } from '../codec.js';
import { limits } from '../limits.js';
import { type Close, closeCode } from '../protocol/close-codes.js';
import { ConnectParams } from '../protocol/connect-params.js';
import { type ConnectRefusal, refusalOnWire } from '../protocol/connect-refusals.js';
import { closeReason, decodeRequest, event, failure, parseFrame, response } from '../protocol/frames.js';
import { plain } from '../text.js';
import type { Peer, Receiver, Socket } from '../transport/transport.js';
import { admission, connectCommand } from './admission.js';
import { mayDrop } from './broadcast.js';
import { connectionId } from './connection-id.js';
import { dispatch } from './dispatch.js';
import { examine, guesserOf, type Knock, type Seen, type Verified } from './handshake.js';
import type { Parts } from './parts.js';
import type { Place } from './place.js';
import { refusalRecord } from './refusal-record.js';
import { endSession, type Session, sessionOf } from './session.js';

/*
 * One connection, from its challenge to its close. Until it is let in, everything it sends is a claim, everything it can cost
 * is bounded, and nothing but the challenge and one answer is sent to it.
 */

interface Refused {
  readonly reason: string;
  readonly close: Close;
  readonly params?: ConnectParams | undefined;
  readonly seen?: Seen | undefined;
  /** The request it was told to wait for. */
  readonly requestId?: string | undefined;
}

type State =
  /** It has our challenge; its connect is awaited. */
  | { readonly is: 'challenged' }
  /** Its connect waits to be looked at, or for the log. */
  | { readonly is: 'deciding'; readonly inLog: boolean }
  | { readonly is: 'open'; readonly session: Session }
  /** It has been told no. */
  | { readonly is: 'refused'; readonly refused: Refused }
  | { readonly is: 'closed'; readonly close: Close };

const SLOW = { code: closeCode.policy, reason: 'slow consumer' };

export class Connection implements Receiver {
  readonly id: string;
  private readonly nonce: string;
  private readonly openedAt: number;
  private state: State = { is: 'challenged' };

  constructor(
    private readonly socket: Socket,
    private readonly peer: Peer,
    readonly place: Place,
    private readonly parts: Parts,
  ) {
    this.id = connectionId(parts.clock.now(), parts.entropy);
    this.nonce = parts.entropy.uuid();
    this.openedAt = parts.clock.monotonic();
    socket.send(event('connect.challenge', { nonce: this.nonce, ts: parts.clock.now() }));
  }

  /** Ms since it was opened. */
  get age(): number {
    return this.parts.clock.monotonic() - this.openedAt;
  }

  message(data: Buffer, binary: boolean): void {
    switch (this.state.is) {
      case 'open':
        return this.hear(this.state.session, data, binary);
      case 'challenged':
      case 'deciding':
        if (data.length > limits.wire.preauthFrameBytes)
          return this.close(
            { code: closeCode.tooBig, reason: 'preauth payload too large' },
            'preauth-payload-too-large',
          );
        if (binary) return this.close({ code: closeCode.policy, reason: 'invalid request frame' }, 'invalid-frame');
        return this.knock(data.toString());
      default:
    }
  }

  dropped(frame: Buffer): void {
    if (!mayDrop(frame)) this.endSlow();
  }

  /** It did not say in time who it is. */
  expire(): void {
    if (this.state.is === 'challenged') this.close({ code: closeCode.normal, reason: '' }, 'handshake-timeout');
  }

  dismiss(): void {
    this.socket.end(closeCode.serviceRestart, 'service restart');
  }

  closed(code: number, reason: string): void {
    const { state } = this;
    const close = { code, reason };
    this.state = { is: 'closed', close };
    this.parts.preauth.delete(this);
    if (state.is === 'open') return this.left(state.session, close);
    if (state.is === 'refused') return this.recordRefusal(state.refused, close);
    if (state.is === 'deciding' && state.inLog) return;
    this.recordRefusal({ reason: 'closed-before-connect', close }, close);
  }

  /** A session speaks. */
  private hear(session: Session, data: Buffer, binary: boolean): void {
    const frame = binary ? undefined : parseFrame(data.toString());
    if (frame === undefined && !binary)
      return this.parts.log.ws.debug(`ignored a message that is not JSON conn=${this.id}`);
    const request = decodeRequest(frame);
    if (E.isRight(request)) return dispatch(request.right, session, this.parts, (answer) => this.send(answer));
    const { id, rules } = request.left;
    this.send(failure(id, { code: 'INVALID_REQUEST', message: `invalid request frame: ${rules}` }));
  }

  private send(frame: string): void {
    if (!this.socket.send(frame)) this.endSlow();
  }

  /** It does not read what it is sent. */
  private endSlow(): void {
    if (this.state.is === 'open') endSession(this.state.session, SLOW, { rule: 'slow-consumer' });
    else this.socket.end(SLOW.code, SLOW.reason);
  }

  /** Its first request, which must be connect. */
  private knock(message: string): void {
    const frame = parseFrame(message);
    if (frame === undefined) return this.close({ code: closeCode.normal, reason: '' }, 'not-json');
    const request = decodeRequest(frame);
    if (E.isLeft(request))
      return this.close({ code: closeCode.policy, reason: 'invalid request frame' }, 'invalid-frame');
    const { id, method, params } = request.right;
    if (this.state.is !== 'challenged' || method !== 'connect') return this.refuse(id, { code: 'not-connect' });
    const claims = decode(ConnectParams, params ?? {});
    if (E.isLeft(claims)) return this.refuse(id, { code: 'invalid-params', rules: rulesOf(claims.left) });
    const knock = this.knockWith(claims.right);
    this.state = { is: 'deciding', inLog: false };
    const wait = this.parts.limiter.delayFor(guesserOf(knock));
    if (wait > 0) this.parts.clock.after(wait, () => this.look(id, knock));
    else this.look(id, knock);
  }

  private knockWith(params: ConnectParams): Knock {
    const { peer, place, nonce } = this;
    return { params, place, nonce, origin: peer.origin, host: peer.host, now: this.parts.clock.now() };
  }

  /** Everything that can be checked without the log. */
  private look(id: string, knock: Knock): void {
    if (this.state.is !== 'deciding') return;
    const examined = examine(knock, this.parts.gate);
    if (E.isLeft(examined)) this.refuse(id, examined.left.refusal, examined.left.seen);
    else this.ask(id, examined.right);
  }

  /** The log has the last word. */
  private ask(id: string, verified: Verified): void {
    const { parts, socket, peer } = this;
    this.state = { is: 'deciding', inLog: true };
    const command = connectCommand(
      verified,
      { connection: this.id, userAgent: peer.userAgent, forwardedFor: peer.forwardedFor },
      parts.admission,
    );
    const answer = (accepted: EventOf<'connection.accepted'>, views: Views) => ({
      session: sessionOf(accepted, verified.knock.params, verified.dialect, socket),
      token: tokenTold(accepted, views),
    });
    parts.ledger.commit(admission(command, answer), (outcome) => {
      if (E.isRight(outcome)) return this.comeIn(id, outcome.right.session, outcome.right.token);
      const { left } = outcome;
      if ('message' in left) this.refuse(id, { code: 'ledger', refusal: left }, verified);
      else this.refuse(id, left, verified);
    });
  }

  /** Its acceptance is on the disk: the answer leaves, and from now on it hears what others hear. */
  private comeIn(id: string, session: Session, token: DeviceToken | undefined): void {
    const { parts } = this;
    if (this.state.is !== 'deciding')
      return this.left(session, this.state.is === 'closed' ? this.state.close : { code: closeCode.policy, reason: '' });
    this.state = { is: 'open', session };
    parts.preauth.delete(this);
    parts.sessions.add(session);
    if (session.presence !== undefined) {
      parts.presence.touch(session.presence.key, session.presence.claim);
      parts.announcer.presenceChanged('came');
    }
    this.send(response(id, parts.hello.payload(session, token)));
    parts.broadcast.join(session);
  }

  private left(session: Session, { code, reason }: Close): void {
    const { parts, id } = this;
    parts.sessions.delete(session);
    const others = session.device !== undefined && parts.sessions.isConnected(session.device);
    if (session.presence !== undefined && !others) {
      parts.presence.leave(session.presence.key);
      parts.announcer.presenceChanged('left');
    }
    const { boot, worker } = parts.admission;
    const durationMs = Math.max(0, parts.clock.now() - session.since);
    const { ending, device, credential } = session;
    parts.ledger.record([
      {
        type: 'connection.closed',
        subject: subjectOf.connection(id),
        actor: ending
          ? { kind: 'gateway', rule: ending.rule }
          : { kind: 'connection', connection: id, device, credential },
        cause: ending?.cause ?? session.seq,
        data: {
          connection: id,
          boot,
          worker,
          device,
          code,
          reason: plain(reason, limits.claims.reasonChars) ?? '',
          durationMs,
        },
      },
    ]);
  }

  /** The answer says why, and then it is closed with the same. */
  private refuse(id: string, refusal: ConnectRefusal, seen?: Seen): void {
    const params = seen?.knock.params;
    const { error, close, reason } = refusalOnWire(refusal, {
      dialect: seen?.dialect,
      params,
      local: this.place.local,
      deviceId: seen?.proven,
    });
    const requestId = refusal.code === 'pairing-required' ? refusal.requestId : undefined;
    const refused = { reason, close: { code: close.code, reason: closeReason(close.reason) }, params, seen, requestId };
    if (this.state.is === 'closed') return this.recordRefusal(refused, this.state.close);
    this.socket.send(failure(id, error));
    this.turnOut(refused);
  }

  private close(close: Close, reason: string): void {
    this.turnOut({ reason, close });
  }

  /** A refused browser closes by itself, with a code that says what it made of the answer, and gets the time for that. */
  private turnOut(refused: Refused): void {
    this.state = { is: 'refused', refused };
    const end = (): void => this.socket.end(refused.close.code, refused.close.reason);
    if (this.peer.origin !== '' && refused.params !== undefined)
      this.parts.clock.after(limits.wire.browserCloseMs, end);
    else end();
  }

  private recordRefusal(refused: Refused, close: Close): void {
    const { parts, peer, place, id } = this;
    const byClient = close.code !== refused.close.code || close.reason !== refused.close.reason;
    const out = { ...refused, connection: id, peer, place, clientClose: byClient ? close : undefined };
    parts.log.closedBeforeConnect({ connection: id, peer, close });
    parts.refusals.record(refusalRecord(out, parts.ledger.views, parts.keys, parts.admission.osUser));
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
