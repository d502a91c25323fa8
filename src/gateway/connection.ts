import * as E from 'fp-ts/lib/Either.js';
import { decode, rulesOf } from '../codec.js';
import { limits } from '../limits.js';
import { type Close, closeCode } from '../protocol/close-codes.js';
import { ConnectParams } from '../protocol/connect-params.js';
import { type ConnectRefusal, refusalOnWire } from '../protocol/connect-refusals.js';
import { closeReason, decodeRequest, event, failure, parseFrame, type Request, response } from '../protocol/frames.js';
import type { Peer, Receiver, Socket } from '../transport/transport.js';
import { mayDrop } from './broadcast.js';
import { connectionId } from './connection-id.js';
import type { Admission } from './core.js';
import { type End, ends, LEFT } from './ends.js';
import type { Front } from './front.js';
import { examine, guesserOf, type Knock, type Seen, type Verified } from './handshake.js';
import type { Place } from './place.js';
import { deliver, endSlow, type Session } from './session.js';

/*
 * One connection, from its challenge to its close. Until it is let in, everything it sends is a claim, everything it can cost
 * is bounded, and nothing but the challenge and one answer is sent to it.
 */

/** What is known of whoever is not in yet. It goes when it comes in: a crowd that is in keeps only its sessions. */
interface Guest {
  readonly id: string;
  readonly nonce: string;
  readonly peer: Peer;
  readonly place: Place;
}

interface Refused extends End {
  readonly params?: ConnectParams | undefined;
  readonly seen?: Seen | undefined;
  /** The request it was told to wait for. */
  readonly requestId?: string | undefined;
}

type State =
  /** It has our challenge; its connect is awaited. */
  | { readonly is: 'challenged'; readonly guest: Guest }
  /** It has said something, which waits to be looked at. */
  | { readonly is: 'heard'; readonly guest: Guest }
  /** Its connect waits for the limiter, or for the log. */
  | { readonly is: 'deciding'; readonly guest: Guest; readonly inLog: boolean }
  | { readonly is: 'open'; readonly session: Session }
  /** It has been told no. */
  | { readonly is: 'refused'; readonly guest: Guest; readonly refused: Refused }
  | { readonly is: 'closed'; readonly close: Close };

export class Connection implements Receiver {
  private state: State;

  constructor(
    private readonly socket: Socket,
    peer: Peer,
    place: Place,
    private readonly front: Front,
  ) {
    const { clock, entropy } = front;
    const guest = { id: connectionId(clock.now(), entropy), nonce: entropy.uuid(), peer, place };
    this.state = { is: 'challenged', guest };
    socket.send(event('connect.challenge', { nonce: guest.nonce, ts: clock.now() }));
  }

  message(data: Buffer, binary: boolean): void {
    switch (this.state.is) {
      case 'open':
        return this.hear(this.state.session, data, binary);
      case 'challenged':
      case 'deciding':
        return this.hearGuest(this.state, data, binary);
      default:
    }
  }

  dropped(frame: Buffer): void {
    if (this.state.is === 'open' && !mayDrop(frame)) endSlow(this.state.session);
  }

  /** It did not say in time who it is. */
  expire(): void {
    if (this.state.is === 'challenged') this.turnOut(this.state.guest, ends.silent);
  }

  get isSilent(): boolean {
    return this.state.is === 'challenged';
  }

  /** Others need its room more. Whoever is on the way into the log is as good as in. */
  giveWay(): void {
    if (this.mayGiveWay(this.state)) this.turnOut(this.state.guest, ends.displaced);
  }

  /** As `giveWay`, but nothing waits until the other end has closed, too. */
  cut(): void {
    if (!this.mayGiveWay(this.state)) return;
    this.state = { is: 'refused', guest: this.state.guest, refused: ends.displaced };
    this.socket.cut();
  }

  private mayGiveWay(state: State): state is State & { readonly guest: Guest } {
    return state.is === 'challenged' || state.is === 'heard' || (state.is === 'deciding' && !state.inLog);
  }

  dismiss(): void {
    this.socket.end(closeCode.serviceRestart, 'service restart');
  }

  closed(code: number, reason: string): void {
    const { state, front } = this;
    const close = { code, reason };
    this.state = { is: 'closed', close };
    if (state.is === 'open') return front.core.left(state.session, close);
    front.preauth.delete(this);
    if (state.is === 'refused') return this.recordRefusal(state.guest, state.refused, close);
    if (state.is === 'closed' || (state.is === 'deciding' && state.inLog)) return;
    if (state.is === 'challenged' && state.guest.peer.path === front.selfPath) return;
    this.recordRefusal(state.guest, { reason: LEFT, close }, close);
  }

  /** A session speaks. */
  private hear(session: Session, data: Buffer, binary: boolean): void {
    /* Its end may be some turns of the loop away. */
    if (session.ending !== undefined) return;
    const frame = binary ? undefined : parseFrame(data.toString());
    if (frame === undefined && !binary)
      return this.front.log.ws.debug(`ignored a message that is not JSON conn=${session.connection}`);
    const request = decodeRequest(frame);
    if (E.isRight(request))
      return this.front.core.request(request.right, session, (answer) => deliver(session, answer));
    const { id, rules } = request.left;
    deliver(session, failure(id, { code: 'INVALID_REQUEST', message: `invalid request frame: ${rules}` }));
  }

  /** Somebody who is not in speaks. */
  private hearGuest({ is, guest }: State & { readonly guest: Guest }, data: Buffer, binary: boolean): void {
    if (data.length > limits.wire.preauthFrameBytes) return this.turnOut(guest, ends.tooLarge);
    if (binary) return this.turnOut(guest, ends.invalidFrame);
    const text = data.toString();
    if (is === 'deciding') return void this.requestOf(guest, text, () => false);
    this.state = { is: 'heard', guest };
    this.front.turns.take(() => {
      if (this.state.is === 'heard') this.knock(guest, text);
    });
  }

  /** Its request, or undefined if it is turned out for what it says. */
  private requestOf(guest: Guest, text: string, isRight: (method: string) => boolean): Request | undefined {
    const frame = parseFrame(text);
    if (frame === undefined) return void this.turnOut(guest, ends.notJson);
    const request = decodeRequest(frame);
    if (E.isLeft(request)) return void this.turnOut(guest, ends.invalidFrame);
    if (isRight(request.right.method)) return request.right;
    return void this.refuse(guest, request.right.id, { code: 'not-connect' });
  }

  /** Its first request, which must be connect. */
  private knock(guest: Guest, text: string): void {
    const request = this.requestOf(guest, text, (method) => method === 'connect');
    if (request === undefined) return;
    const { id, params } = request;
    const claims = decode(ConnectParams, params ?? {});
    if (E.isLeft(claims)) return this.refuse(guest, id, { code: 'invalid-params', rules: rulesOf(claims.left) });
    const { limiter, clock } = this.front;
    const knock = knockOf(guest, claims.right, clock.now());
    this.state = { is: 'deciding', guest, inLog: false };
    const wait = limiter.delayFor(guesserOf(knock));
    if (wait > 0) clock.after(wait, () => this.look(guest, id, knock));
    else this.look(guest, id, knock);
  }

  /** Everything that can be checked without the log. */
  private look(guest: Guest, id: string, knock: Knock): void {
    if (this.state.is !== 'deciding') return;
    const examined = examine(knock, this.front.gate);
    if (E.isLeft(examined)) this.refuse(guest, id, examined.left.refusal, examined.left.seen);
    else this.ask(guest, id, examined.right);
  }

  private ask(guest: Guest, id: string, verified: Verified): void {
    const { peer } = guest;
    this.state = { is: 'deciding', guest, inLog: true };
    const around = { connection: guest.id, userAgent: peer.userAgent, forwardedFor: peer.forwardedFor };
    this.front.core.admit({ verified, around }, this.socket, (admission) =>
      this.answered(guest, id, verified, admission),
    );
  }

  private answered(guest: Guest, id: string, verified: Verified, admission: Admission): void {
    const { state, front } = this;
    if (E.isLeft(admission)) {
      const { left } = admission;
      return this.refuse(guest, id, 'message' in left ? { code: 'ledger', refusal: left } : left, verified);
    }
    const { session, token, capability } = admission.right;
    if (state.is !== 'deciding')
      return front.core.left(session, state.is === 'closed' ? state.close : { code: closeCode.policy, reason: '' });
    this.state = { is: 'open', session };
    front.preauth.delete(this);
    deliver(session, response(id, front.hello.payload(session, token, capability)));
  }

  /** The answer says why, and then it is closed with the same. */
  private refuse(guest: Guest, id: string, refusal: ConnectRefusal, seen?: Seen): void {
    const params = seen?.knock.params;
    const { error, close, reason } = refusalOnWire(refusal, {
      dialect: seen?.dialect,
      params,
      local: guest.place.local,
      deviceId: seen?.proven,
    });
    const requestId = refusal.code === 'pairing-required' ? refusal.requestId : undefined;
    const refused = { reason, close: { code: close.code, reason: closeReason(close.reason) }, params, seen, requestId };
    if (this.state.is === 'closed') return this.recordRefusal(guest, refused, this.state.close);
    this.socket.send(failure(id, error));
    this.turnOut(guest, refused);
  }

  /** A refused browser closes by itself, with a code that says what it made of the answer, and gets the time for that. */
  private turnOut(guest: Guest, refused: Refused): void {
    this.state = { is: 'refused', guest, refused };
    const end = (): void => this.socket.end(refused.close.code, refused.close.reason);
    if (guest.peer.origin !== '' && refused.params !== undefined)
      this.front.clock.after(limits.wire.browserCloseMs, end);
    else end();
  }

  private recordRefusal({ id, peer, place }: Guest, refused: Refused, close: Close): void {
    const byClient = close.code !== refused.close.code || close.reason !== refused.close.reason;
    const clientClose = byClient ? close : undefined;
    this.front.core.refused({ ...refused, connection: id, peer, place, clientClose });
  }
}

const knockOf = ({ peer, place, nonce }: Guest, params: ConnectParams, now: number): Knock => ({
  params,
  place,
  nonce,
  origin: peer.origin,
  host: peer.host,
  now,
});
