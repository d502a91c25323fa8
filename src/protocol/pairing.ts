import type { DeviceToken, PairedDevice, PendingRequest, Usage, Views } from '../../projections/index.js';
import { isLoopback } from '../addresses.js';
import { waits } from '../decisions/device.js';
import type { Dialect } from './dialect.js';

/* How the views look on the wire (protocol.md §6.4, §6.5). Never a token, nor what could make one. */

/** An address is shown only if it tells something: not that of this host. */
const remote = (address: string | undefined): string | undefined =>
  address === undefined || address === '' || isLoopback(address) ? undefined : address;

export const pendingOnWire = (request: PendingRequest) => ({
  requestId: request.requestId,
  deviceId: request.device,
  publicKey: request.publicKey,
  displayName: request.displayName,
  platform: request.client.platform,
  deviceFamily: request.client.deviceFamily,
  clientId: request.client.id,
  clientMode: request.client.mode,
  browserOrigin: request.browserOrigin,
  role: request.role,
  roles: request.roles,
  scopes: request.scopes,
  remoteIp: remote(request.address),
  silent: false,
  isRepair: request.repair,
  ts: request.askedAt,
});

/** In a list, also what was pinned before, where that is what changed. */
export const pendingInList = (request: PendingRequest) => ({
  ...pendingOnWire(request),
  ...(request.pinned === undefined ? {} : { pinned: request.pinned }),
});

export const pairedOnWire = (device: PairedDevice, usage: Usage | undefined) => ({
  deviceId: device.device,
  publicKey: device.publicKey,
  displayName: device.label ?? device.displayName,
  platform: device.client.platform,
  deviceFamily: device.client.deviceFamily,
  clientId: device.client.id,
  clientMode: device.client.mode,
  role: device.role,
  roles: device.roles,
  scopes: device.scopes.length === 0 ? undefined : device.scopes,
  remoteIp: remote(device.address),
  createdAtMs: device.createdAt,
  approvedAtMs: device.approvedAt,
  tokens: Object.entries(device.tokens)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([role, token]) => tokenOnWire(role, token, usage?.tokens[role as keyof Usage['tokens']])),
});

const tokenOnWire = (role: string, token: DeviceToken, lastUsedAtMs: number | undefined) => ({
  role,
  scopes: token.scopes,
  createdAtMs: token.createdAt,
  rotatedAtMs: token.rotatedAt,
  revokedAtMs: token.revokedAt,
  lastUsedAtMs,
});

/** What protocol 4 tells besides. */
export const pairedInDialect4 = (device: PairedDevice, usage: Usage | undefined, connected: boolean) => ({
  ...pairedOnWire(device, usage),
  connected,
  operatorLabel: device.label,
  approvedVia: device.rule,
  lastSeenAtMs: usage?.seenAt,
});

/** When the token that a device holds began: what hello-ok tells. */
export const issuedAt = (token: DeviceToken): number => token.rotatedAt ?? token.createdAt;

/** Requests that wait, newest first, and devices, latest approval first. */
export interface PairEntries {
  readonly pending: readonly ReturnType<typeof pendingInList>[];
  readonly paired: readonly ReturnType<typeof pairedOnWire>[];
}

/** Everything a list shows, as it is now. */
export const pairEntries = (
  views: Views,
  now: number,
  isVisible: (device: string) => boolean,
  dialect: Dialect,
  isConnected: (device: string) => boolean,
): PairEntries => {
  const visible = ([device]: readonly [string, unknown]): boolean => isVisible(device);
  const pending = [...views.pending.entries()].filter(visible).map(([, request]) => request);
  const paired = [...views.paired.entries()].filter(visible).map(([, device]) => device);
  return {
    pending: pending
      .filter((request) => waits(request, views, { now }))
      .sort((a, b) => b.seq - a.seq)
      .map(pendingInList),
    paired: paired
      .sort((a, b) => b.seq - a.seq)
      .map((device) => {
        const usage = views.usage.get(device.device);
        return dialect === 4
          ? pairedInDialect4(device, usage, isConnected(device.device))
          : pairedOnWire(device, usage);
      }),
  };
};
