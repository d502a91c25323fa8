import type { Client, EventOf, Need, Role } from '../events/index.js';
import { drop, type Projection, put, unchanged } from './projection.js';

/** An ask that was replaced by a larger one. Kept so that approving it can say by what, and how the two differ. */
export interface Superseded {
  readonly requestId: string;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
}

/**
 * What a device asks for and nobody has decided. It never changes: a different ask is another request. Who asks is beside its event, `seq`
 * (see `persons.ts`).
 */
export interface PendingRequest {
  readonly requestId: string;
  readonly device: string;
  readonly publicKey: string;
  readonly role: Role;
  readonly roles: readonly Role[];
  readonly scopes: readonly string[];
  readonly client: Client;
  readonly need: Need;
  readonly repair: boolean;
  readonly pinned?: { readonly platform?: string | undefined; readonly deviceFamily?: string | undefined } | undefined;
  /** Key in `connected` of the session that goes on with what it has while this waits. */
  readonly session?: string | undefined;
  readonly superseded: readonly Superseded[];
  readonly seq: number;
  readonly askedAt: number;
  readonly refreshedAt: number;
}

const SUPERSEDED_KEPT = 8;

/** Waiting requests by device: a device has at most one. */
export const pending: Projection<PendingRequest> = {
  name: 'pending',
  version: 2,
  apply: (event, rows) => {
    switch (event.type) {
      case 'pairing.requested':
        return event.data.silent ? unchanged : [put(event.data.device, requestIn(event, rows.get(event.data.device)))];
      case 'pairing.refreshed': {
        const row = rows.get(event.data.device);
        return row?.requestId === event.data.requestId
          ? [put(row.device, { ...row, refreshedAt: event.at })]
          : unchanged;
      }
      case 'pairing.approved':
      case 'pairing.rejected':
      case 'pairing.expired':
        return rows.get(event.data.device)?.requestId === event.data.requestId ? [drop(event.data.device)] : unchanged;
      default:
        return unchanged;
    }
  },
};

/** The request that an event files; `before` is the one it supersedes. */
export const requestIn = (event: EventOf<'pairing.requested'>, before?: PendingRequest): PendingRequest => ({
  requestId: event.data.requestId,
  device: event.data.device,
  publicKey: event.data.publicKey,
  role: event.data.role,
  roles: event.data.roles,
  scopes: event.data.scopes,
  client: event.data.client,
  need: event.data.need,
  repair: event.data.repair,
  pinned: event.data.pinned,
  session: event.data.session,
  superseded: before === undefined ? [] : [...before.superseded, replaced(before)].slice(-SUPERSEDED_KEPT),
  seq: event.seq,
  askedAt: event.at,
  refreshedAt: event.at,
});

const replaced = ({ requestId, roles, scopes }: PendingRequest): Superseded => ({ requestId, roles, scopes });
