import type { EventOf, Method, Role } from '../../events/index.js';
import { isLoopback } from '../addresses.js';
import type { Principal } from '../decisions/principal.js';
import { covers } from '../decisions/scopes.js';
import { type Close, closeCode } from '../protocol/close-codes.js';
import type { ConnectParams } from '../protocol/connect-params.js';
import type { Dialect } from '../protocol/dialect.js';
import type { Socket } from '../transport/transport.js';
import type { Claim } from './presence.js';

/** A connection that was let in, as its `connection.accepted` says: what it is and what it may do until it closes. */
export interface Session {
  readonly connection: string;
  readonly socket: Socket;
  readonly dialect: Dialect;
  /** By which name it reached us; empty if it said none. */
  readonly host: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly method: Method;
  readonly device?: string | undefined;
  readonly credential?: string | undefined;
  /** It asked for more than it has: the request under which the rest waits. */
  readonly upgrade?: string | undefined;
  /** Its `connection.accepted`: place in the log, and time (ms). */
  readonly seq: number;
  readonly since: number;
  /** How it is shown among those who are here, and under which key; absent for those who come and go. */
  readonly presence?: { readonly key: string; readonly claim: Claim } | undefined;
  /** What a node says it can do. Claims. */
  readonly node?: NodeClaims | undefined;
  /** Answers `unauthorized role` in a row. */
  roleRefusals: number;
  /** Why the gateway ends it; absent if the client does. */
  ending?: Ending;
}

/** The rule by which a session ends, and the event that made it end, if one did. */
export interface Ending {
  readonly rule: string;
  readonly cause?: number | undefined;
}

/** Ends a session. That it ended, and why, is recorded when its socket is gone. */
export const endSession = (session: Session, { code, reason }: Close, ending: Ending): void => {
  session.ending ??= ending;
  session.socket.end(code, reason);
};

const SLOW = { code: closeCode.policy, reason: 'slow consumer' };

/** It does not read what it is sent. */
export const endSlow = (session: Session): void => endSession(session, SLOW, { rule: 'slow-consumer' });

/** The same where not even what waits for it may be kept. */
export const cutSlow = (session: Session): void => {
  session.ending ??= { rule: 'slow-consumer' };
  session.socket.cut();
};

/** Sends it a frame, or lets it go if it is too far behind to take one. */
export const deliver = (session: Session, frame: string): void => {
  if (!session.socket.send(frame)) endSlow(session);
};

export interface NodeClaims {
  readonly version: string;
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly pathEnv?: string | undefined;
  readonly permissions?: Readonly<Record<string, boolean>> | undefined;
  readonly modelIdentifier?: string | undefined;
}

export const sessionOf = (
  accepted: EventOf<'connection.accepted'>,
  params: ConnectParams,
  dialect: Dialect,
  socket: Socket,
): Session => {
  const { connection, role, scopes, method, device, credential, upgrade } = accepted.data;
  return {
    connection,
    socket,
    dialect,
    host: accepted.origin?.host ?? '',
    role,
    scopes,
    method,
    device,
    credential,
    upgrade,
    seq: accepted.seq,
    since: accepted.at,
    presence: presenceOf(accepted, dialect),
    node: role === 'node' ? nodeClaims(accepted, params) : undefined,
    roleRefusals: 0,
  };
};

/** Modes whose clients come, ask and go: nobody wants to read of them. */
const PASSING: { readonly [D in Dialect]: ReadonlySet<string> } = {
  3: new Set(['cli']),
  4: new Set(['cli', 'backend', 'probe']),
};

const presenceOf = ({ data, origin }: EventOf<'connection.accepted'>, dialect: Dialect): Session['presence'] => {
  const { client, device, instanceId, connection, role, asked } = data;
  if (PASSING[dialect].has(client.mode)) return undefined;
  const key = (device ?? instanceId ?? connection).toLowerCase();
  const address = origin?.address;
  const claim: Claim = {
    host: origin?.displayName ?? client.id,
    ip: address === undefined || isLoopback(address) ? undefined : address,
    version: client.version,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    modelIdentifier: client.modelIdentifier,
    mode: client.mode,
    deviceId: device,
    roles: [role],
    scopes: asked.length === 0 ? undefined : asked,
    instanceId: key,
    reason: 'connect',
  };
  return { key, claim };
};

const nodeClaims = ({ data }: EventOf<'connection.accepted'>, { pathEnv, permissions }: ConnectParams): NodeClaims => ({
  version: data.client.version,
  caps: data.caps ?? [],
  commands: data.commands ?? [],
  pathEnv,
  permissions,
  modelIdentifier: data.client.modelIdentifier,
});

export const principalOf = ({ connection, method, role, scopes, device, credential }: Session): Principal => ({
  kind: 'connection',
  connection,
  method,
  role,
  scopes,
  device,
  credential,
});

/** Does the session hold this operator scope? */
export const may = (session: Pick<Session, 'role' | 'scopes'>, scope: string): boolean =>
  session.role === 'operator' && covers('operator', session.scopes, scope);
