import type { Client, Event, EventOf, Role } from '../events/index.js';
import { type Change, drop, type Projection, put, type Rows, unchanged } from './projection.js';

/** A token that was replaced and still opens the door, until its successor is used or the time is up. */
export interface PreviousToken {
  readonly token: string;
  readonly key: string;
  readonly credential: string;
  readonly seq: number;
  readonly graceUntil: number;
}

export interface DeviceToken {
  readonly token: string;
  readonly key: string;
  readonly credential: string;
  readonly scopes: readonly string[];
  readonly createdAt: number;
  readonly rotatedAt?: number | undefined;
  readonly revokedAt?: number | undefined;
  /** The event that issued it: the cause of every connection that shows it. */
  readonly seq: number;
  readonly previous?: PreviousToken | undefined;
}

/** A device that somebody let in. `scopes` is all it was ever granted; each token says what of it that token carries. */
export interface PairedDevice {
  readonly device: string;
  readonly publicKey: string;
  /** Its approvals that say who holds it, oldest first, and the event that gave it its label: see `persons.ts`. */
  readonly origins: readonly number[];
  readonly renamed?: number | undefined;
  readonly client: Client;
  readonly role: Role;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly rule: string;
  readonly createdAt: number;
  readonly approvedAt: number;
  readonly seq: number;
  readonly tokens: { readonly [R in Role]?: DeviceToken };
}

/** Of so many approvals one will have told the name of the device. */
const ORIGINS_KEPT = 8;

export const paired: Projection<PairedDevice> = {
  name: 'paired',
  version: 2,
  apply: (event, rows) => {
    switch (event.type) {
      case 'pairing.approved':
        return [put(event.data.device, granted(event, rows.get(event.data.device)))];
      case 'device.removed':
        return [drop(event.data.device)];
      case 'device.renamed':
        return change(rows, event.data.device, (row) => ({ ...row, renamed: event.seq }));
      case 'device.metadata-changed':
        return change(rows, event.data.device, (row) => ({ ...row, client: { ...row.client, ...event.data.to } }));
      case 'token.issued':
      case 'token.rotated':
      case 'token.retired':
      case 'token.revoked':
        return change(rows, event.data.device, (row) => ({
          ...row,
          tokens: { ...row.tokens, [event.data.role]: tokenAfter(event, row.tokens[event.data.role]) },
        }));
      default:
        return unchanged;
    }
  },
};

const change = (
  rows: Rows<PairedDevice>,
  device: string,
  to: (row: PairedDevice) => PairedDevice,
): readonly Change<PairedDevice>[] => {
  const row = rows.get(device);
  return row === undefined ? unchanged : [put(device, to(row))];
};

const granted = (event: EventOf<'pairing.approved'>, before: PairedDevice | undefined): PairedDevice => ({
  device: event.data.device,
  publicKey: event.data.publicKey,
  origins: [...(before?.origins ?? []), ...(event.originHash === undefined ? [] : [event.seq])].slice(-ORIGINS_KEPT),
  renamed: before?.renamed,
  client: event.data.client,
  role: event.data.role,
  roles: event.data.roles,
  scopes: event.data.scopes,
  rule: event.data.rule,
  createdAt: before?.createdAt ?? event.at,
  approvedAt: event.at,
  seq: event.seq,
  tokens: before?.tokens ?? {},
});

type TokenEvent = Extract<Event, { type: 'token.issued' | 'token.rotated' | 'token.retired' | 'token.revoked' }>;

const tokenAfter = (event: TokenEvent, before: DeviceToken | undefined): DeviceToken | undefined => {
  switch (event.type) {
    case 'token.retired':
      return before?.previous?.token === event.data.token ? { ...before, previous: undefined } : before;
    case 'token.revoked':
      return before && { ...before, revokedAt: event.at, previous: undefined };
    default:
      return {
        token: event.data.token,
        key: event.data.key,
        credential: event.data.credential,
        scopes: event.data.scopes,
        createdAt: before?.createdAt ?? event.at,
        rotatedAt: before && event.at,
        seq: event.seq,
        previous: replacedBy(event, before),
      };
  }
};

const replacedBy = (
  { data: { replaces, graceUntil } }: EventOf<'token.issued'> | EventOf<'token.rotated'>,
  before: DeviceToken | undefined,
): PreviousToken | undefined =>
  before !== undefined && before.token === replaces && graceUntil !== undefined
    ? { token: before.token, key: before.key, credential: before.credential, seq: before.seq, graceUntil }
    : undefined;
