import type { Event } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Close, closeCode } from '../protocol/close-codes.js';
import { type Ending, endSession, type Session } from './session.js';

/*
 * The open sessions of this process, and what ends them. Whatever a session's right to be here came from, its end is an event;
 * this listens to the log and closes what the event revoked. No method closes anybody by hand.
 */

const REMOVED = { code: closeCode.revoked, reason: 'device removed' };
const AUTH_CHANGED = { code: closeCode.revoked, reason: 'gateway auth changed' };
const TOKEN_REPLACED = { code: closeCode.serviceRestart, reason: 'token replaced: connect again' };
const APPROVED = { code: closeCode.serviceRestart, reason: 'approved: connect again' };

/** Sessions that an event put an end to, of which none has been closed yet. */
type Doomed = (sessions: readonly Session[], ending: Ending) => void;

export class Sessions {
  private readonly byId = new Map<string, Session>();
  private readonly byDevice = new Map<string, Set<Session>>();
  private readonly listeners: Doomed[] = [];

  get count(): number {
    return this.byId.size;
  }

  all(): Iterable<Session> {
    return this.byId.values();
  }

  listen(doomed: Doomed): void {
    this.listeners.push(doomed);
  }

  add(session: Session): void {
    this.byId.set(session.connection, session);
    if (session.device === undefined) return;
    const others = this.byDevice.get(session.device);
    if (others === undefined) this.byDevice.set(session.device, new Set([session]));
    else others.add(session);
  }

  delete(session: Session): void {
    this.byId.delete(session.connection);
    if (session.device === undefined) return;
    const others = this.byDevice.get(session.device);
    others?.delete(session);
    if (others?.size === 0) this.byDevice.delete(session.device);
  }

  of(connection: string): Session | undefined {
    return this.byId.get(connection);
  }

  ofDevice(device: string): Iterable<Session> {
    return this.byDevice.get(device) ?? [];
  }

  /** Where a node is told things: the newest of its connections as one. */
  nodeOf(device: string): Session | undefined {
    let newest: Session | undefined;
    for (const session of this.ofDevice(device))
      if (session.node !== undefined && session.ending === undefined) newest = session;
    return newest;
  }

  /** Devices that are here as nodes. */
  nodes(): ReadonlySet<string> {
    const devices = new Set<string>();
    for (const { node, device } of this.all()) if (node !== undefined && device !== undefined) devices.add(device);
    return devices;
  }

  isConnected(device: string): boolean {
    return this.byDevice.has(device);
  }

  /** Under which keys those who are here are shown. */
  presences(): ReadonlySet<string> {
    return new Set([...this.all()].flatMap(({ presence }) => presence?.key ?? []));
  }

  /** Closes what an event put an end to. */
  enforce(event: Event): void {
    const end = (sessions: Iterable<Session>, close: Close): void =>
      this.end(sessions, close, { rule: event.type, cause: event.seq });
    switch (event.type) {
      case 'device.removed':
        return end(this.ofDevice(event.data.device), REMOVED);
      case 'token.rotated':
      case 'token.revoked':
        return end(withRole(this.ofDevice(event.data.device), event.data.role), REMOVED);
      case 'token.retired':
        return end(withCredential(this.ofDevice(event.data.device), event.data.credential), TOKEN_REPLACED);
      case 'gateway.secret-rotated':
        return end(withCredential(this.all(), event.data.from), AUTH_CHANGED);
      case 'pairing.approved':
        return end(waiting(this.ofDevice(event.data.device)), APPROVED);
      default:
    }
  }

  endAll(close: Close, rule: string): void {
    for (const session of [...this.all()]) endSession(session, close, { rule });
  }

  /** From now on nothing is done for them. Their sockets are closed a slice a turn, so that others are heard meanwhile when they are many. */
  private end(sessions: Iterable<Session>, close: Close, ending: Ending): void {
    const ended = [...sessions];
    if (ended.length === 0) return;
    for (const session of ended) session.ending ??= ending;
    for (const doomed of this.listeners) doomed(ended, ending);
    const closeFrom = (first: number): void => {
      const next = first + limits.sockets.closedAtOnce;
      for (const session of ended.slice(first, next)) endSession(session, close, ending);
      if (next < ended.length) setImmediate(() => closeFrom(next));
    };
    closeFrom(0);
  }
}

function* withRole(sessions: Iterable<Session>, role: string): Iterable<Session> {
  for (const session of sessions) if (session.role === role) yield session;
}

/** Whoever showed the credential that is no more. A device that came by its token did not show the secret. */
function* withCredential(sessions: Iterable<Session>, credential: string | undefined): Iterable<Session> {
  if (credential === undefined) return;
  for (const session of sessions) if (session.credential === credential) yield session;
}

/** It is here with less than it asked for, and now there is more: it comes back with all of it. */
function* waiting(sessions: Iterable<Session>): Iterable<Session> {
  for (const session of sessions) if (session.upgrade !== undefined) yield session;
}
