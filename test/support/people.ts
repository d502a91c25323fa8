import { randomUUID } from 'node:crypto';
import type { Role } from '../../events/index.js';
import { approve } from '../../src/decisions/approve.js';
import { type Connect, type ConnectDenied, connect, type Rules } from '../../src/decisions/connect.js';
import { deviceIn, deviceOfRequest } from '../../src/decisions/device.js';
import type { FreshToken } from '../../src/decisions/issue.js';
import type { Principal } from '../../src/decisions/principal.js';
import type { History, Result } from './given.js';

export const ALL = [
  'operator.admin',
  'operator.read',
  'operator.write',
  'operator.approvals',
  'operator.pairing',
] as const;

export const RULES: Rules = { localClient: true, localBackend: true, scopesWithoutDevice: false };

let drawn = 0;
export const fresh = (): FreshToken => {
  const n = ++drawn;
  return { token: `token-${n}`, key: 'key-1', credential: `fingerprint-${n}` };
};

export const laptop = 'a'.repeat(64);
export const phone = 'b'.repeat(64);

/** A handshake that passed every check of the wire: a remote CLI with the gateway secret, unless told otherwise. */
export const handshake = (device: string | undefined, claims: Partial<Connect> = {}): Connect => {
  const connection = randomUUID();
  return {
    connection,
    boot: 'boot-1',
    worker: 0,
    session: `boot-1/0/${connection}`,
    protocol: 4,
    role: 'operator',
    scopes: ['operator.read'],
    client: { id: 'cli', mode: 'cli', platform: 'linux', version: '2026.3.2' },
    device: device === undefined ? undefined : { id: device, publicKey: `key of ${device.slice(0, 8)}` },
    shown: { method: 'token', credential: 'fingerprint-of-secret', since: 1 },
    local: false,
    browser: false,
    origin: { address: '203.0.113.7', displayName: 'somebody' },
    requestId: randomUUID(),
    fresh: fresh(),
    rules: RULES,
    ...claims,
  };
};

export const connects = (history: History, command: Connect, waiting?: number): Result<ConnectDenied> =>
  history.when((views, moment, originOf) =>
    connect(
      {
        device: command.device && deviceIn(views, command.device.id, moment),
        waiting: () => waiting ?? views.pending.size(),
        originOf,
      },
      command,
      moment,
    ),
  );

export const person = (
  scopes: readonly string[],
  more: Partial<Extract<Principal, { kind: 'connection' }>> = {},
): Principal => ({
  kind: 'connection',
  connection: 'c-person',
  method: 'token',
  role: 'operator',
  scopes,
  ...more,
});

export const admin = person(['operator.admin'], {
  connection: 'c-admin',
  device: 'd'.repeat(64),
  method: 'device-token',
});

/** Who works on the log while the gateway is down. */
export const host: Principal = { kind: 'host', osUser: 'ada' };

/** Who asks for what only admins may do, and what they are told. */
export const ADMINS_ALONE: readonly (readonly [name: string, by: Principal, says: string | undefined])[] = [
  ['an admin', admin, undefined],
  ['the owner of the host', host, undefined],
  ['the owner of the host, through its socket', person(['operator.admin'], { method: 'host-proof' }), undefined],
  ['pairing', person(['operator.pairing', 'operator.read']), 'missing scope: operator.admin'],
  ['whoever reads evidence', person(['operator.audit']), 'missing scope: operator.admin'],
  ['the gateway itself', { kind: 'gateway', rule: 'expiry' }, 'missing scope: operator.admin'],
];

export const approves = (history: History, requestId: string, by: Principal = admin) =>
  history.when((views, moment, originOf) =>
    approve(deviceOfRequest(views, requestId, moment), { requestId, by, fresh: fresh(), originOf }, moment),
  );

/** A device that asked and was approved. Returns the handshake it asked with. */
export const paired = (
  history: History,
  device: string,
  scopes: readonly string[],
  role: Role = 'operator',
): Connect => {
  const command = handshake(device, {
    scopes,
    role,
    ...(role === 'node' ? { client: { id: 'node-host', mode: 'node', platform: 'linux', version: '1' } } : {}),
  });
  connects(history, command);
  approves(history, command.requestId);
  return command;
};

/** The handshake of a device that shows the token it was given last, or the one with this id. */
export const withToken = (history: History, device: string, claims: Partial<Connect> = {}, token?: string): Connect => {
  const row = history.views.paired.get(device)?.tokens[claims.role ?? 'operator'];
  const id = token ?? row?.token ?? 'none';
  return handshake(device, {
    shown: { method: 'device-token', credential: `of ${id}`, token: id, otherwise: 'device_token_mismatch' },
    ...claims,
  });
};
