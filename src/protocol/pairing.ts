import type { Origin } from '../../events/index.js';
import {
  askerOf,
  type DeviceToken,
  holderOf,
  type OriginOf,
  type PairedDevice,
  type PendingRequest,
  type Usage,
  type Views,
} from '../../projections/index.js';
import { isLoopback } from '../addresses.js';
import { waits } from '../decisions/device.js';
import type { Dialect } from './dialect.js';

/* How the views look on the wire (protocol.md §6.4, §6.5), and who is in them. Never a token, nor what could make one. */

/** An address is shown only if it tells something: not that of this host. */
const remote = (address: string | undefined): string | undefined =>
  address === undefined || address === '' || isLoopback(address) ? undefined : address;

export const pendingOnWire = (request: PendingRequest, asker: Origin) => ({
  requestId: request.requestId,
  deviceId: request.device,
  publicKey: request.publicKey,
  displayName: asker.displayName,
  platform: request.client.platform,
  deviceFamily: request.client.deviceFamily,
  clientId: request.client.id,
  clientMode: request.client.mode,
  browserOrigin: asker.browserOrigin,
  role: request.role,
  roles: request.roles,
  scopes: request.scopes,
  remoteIp: remote(asker.address),
  silent: false,
  isRepair: request.repair,
  ts: request.askedAt,
});

/** In a list, also what was pinned before, where that is what changed. */
const pendingInList = (request: PendingRequest, asker: Origin) => ({
  ...pendingOnWire(request, asker),
  ...(request.pinned === undefined ? {} : { pinned: request.pinned }),
});

export const pairedOnWire = (device: PairedDevice, holder: Origin, usage: Usage | undefined) => ({
  deviceId: device.device,
  publicKey: device.publicKey,
  displayName: holder.label ?? holder.displayName,
  platform: device.client.platform,
  deviceFamily: device.client.deviceFamily,
  clientId: device.client.id,
  clientMode: device.client.mode,
  role: device.role,
  roles: device.roles,
  scopes: device.scopes.length === 0 ? undefined : device.scopes,
  remoteIp: remote(holder.address),
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
export const pairedInDialect4 = (
  device: PairedDevice,
  holder: Origin,
  usage: Usage | undefined,
  connected: boolean,
) => ({
  ...pairedOnWire(device, holder, usage),
  connected,
  operatorLabel: holder.label,
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
  originOf: OriginOf,
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
      .map((request) => pendingInList(request, askerOf(request, originOf))),
    paired: paired
      .sort((a, b) => b.seq - a.seq)
      .map((device) => {
        const usage = views.usage.get(device.device);
        const holder = holderOf(device, originOf);
        return dialect === 4
          ? pairedInDialect4(device, holder, usage, isConnected(device.device))
          : pairedOnWire(device, holder, usage);
      }),
  };
};
