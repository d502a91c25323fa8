import type { Event } from '../../events/index.js';
import type { Session } from './session.js';

/*
 * The open sessions of this process, and what ends them. Whatever a session's right to be here came from, its end is an event;
 * this listens to the log and closes what the event revoked. No method closes anybody by hand.
 */

const REVOKED = 4001;
const SERVICE_RESTART = 1012;

export class Sessions {
  private readonly byId = new Map<string, Session>();
  private readonly byDevice = new Map<string, Set<Session>>();

  get count(): number {
    return this.byId.size;
  }

  all(): Iterable<Session> {
    return this.byId.values();
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

  ofDevice(device: string): Iterable<Session> {
    return this.byDevice.get(device) ?? [];
  }

  isConnected(device: string): boolean {
    return this.byDevice.has(device);
  }

  /** Closes what an event put an end to. */
  enforce(event: Event): void {
    switch (event.type) {
      case 'device.removed':
        return this.closeThose(this.ofDevice(event.data.device), REVOKED, 'device removed');
      case 'token.rotated':
      case 'token.revoked': {
        const { device, role } = event.data;
        return this.closeThose(withRole(this.ofDevice(device), role), REVOKED, 'device removed');
      }
      case 'token.retired': {
        const { device, credential } = event.data;
        const late = withCredential(this.ofDevice(device), credential);
        return this.closeThose(late, SERVICE_RESTART, 'token replaced: connect again');
      }
      case 'gateway.secret-rotated': {
        const { from } = event.data;
        return this.closeThose(withCredential(this.all(), from), REVOKED, 'gateway auth changed');
      }
      case 'pairing.approved':
        return this.closeThose(waiting(this.ofDevice(event.data.device)), SERVICE_RESTART, 'approved: connect again');
      default:
    }
  }

  closeAll(code: number, reason: string): void {
    this.closeThose(this.all(), code, reason);
  }

  /** A close takes the session out of the sets it is found in. */
  private closeThose(sessions: Iterable<Session>, code: number, reason: string): void {
    for (const { socket } of [...sessions]) socket.end(code, reason);
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
