import type { DataOf, Origin } from '../../events/index.js';
import type { Views } from '../../projections/index.js';
import type { Keys } from '../credentials/keys.js';
import { limits } from '../limits.js';
import type { Close } from '../protocol/close-codes.js';
import type { ConnectParams } from '../protocol/connect-params.js';
import { plain } from '../text.js';
import type { Peer } from '../transport/transport.js';
import { clientOf, originOf } from './admission.js';
import type { Seen } from './handshake.js';
import type { Place } from './place.js';

/** How a connection ended that was never let in. */
export interface RefusedConnection {
  readonly connection: string;
  readonly peer: Peer;
  readonly place: Place;
  readonly reason: string;
  /** What we closed with. */
  readonly close: Close;
  /** What the client closed with, if it was first. */
  readonly clientClose?: Close | undefined;
  readonly params?: ConnectParams | undefined;
  readonly seen?: Seen | undefined;
  readonly requestId?: string | undefined;
}

/** What is kept of it. */
export interface RefusalRecord {
  readonly data: Omit<DataOf<'connection.refused'>, 'boot'>;
  /** The request it was told to wait for, in the log. */
  readonly cause?: number | undefined;
  readonly origin: Origin;
  /** Whose budget it is, as kept in memory. */
  readonly source: string;
  /** A valid signature of a paired device, or a credential that is or was one of ours. */
  readonly known: boolean;
}

const { claims } = limits;

/** Claims are capped and stripped, and a device is only named if it proved its key. */
export const refusalRecord = (out: RefusedConnection, views: Views, keys: Keys, osUser: string): RefusalRecord => {
  const { params, seen, peer, place, connection } = out;
  const credential =
    seen?.evaluated.credential ?? (params?.auth?.deviceToken ? keys.fingerprint(params.auth.deviceToken) : undefined);
  const waiting = seen?.proven === undefined ? undefined : views.pending.get(seen.proven);
  const around = { connection, userAgent: peer.userAgent, forwardedFor: peer.forwardedFor };
  return {
    data: {
      connection,
      reason: out.reason,
      close: out.close,
      clientClose: out.clientClose && {
        code: out.clientClose.code,
        reason: plain(out.clientClose.reason, claims.reasonChars) ?? '',
      },
      device: seen?.proven,
      role: plain(params?.role, claims.displayNameChars),
      credential,
      client: params && clientOf(params),
      requestId: out.requestId,
    },
    cause: waiting?.requestId === out.requestId ? waiting?.seq : undefined,
    origin: seen === undefined ? { address: place.address || undefined } : originOf(seen, around, { osUser }),
    source: place.source,
    known: isKnown(views, seen?.proven, credential),
  };
};

const isKnown = (views: Views, device: string | undefined, credential: string | undefined): boolean =>
  (device !== undefined && views.paired.get(device) !== undefined) ||
  (credential !== undefined && views.credentials.get(credential) !== undefined);
