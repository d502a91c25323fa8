import type { PairedDevice, PendingRequest, Views } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { Moment } from './decision.js';

/** One device as the rules see it: what it was granted and what it still asks for. */
export interface Device {
  readonly id: string;
  readonly paired?: PairedDevice | undefined;
  readonly pending?: PendingRequest | undefined;
  /** A request that waited too long, and of which the log does not say so yet. */
  readonly expired?: PendingRequest | undefined;
}

export const deviceIn = (views: Views, id: string, moment: Pick<Moment, 'now'>): Device => {
  const paired = views.paired.get(id);
  const request = views.pending.get(id);
  return request !== undefined && waits(request, views, moment)
    ? { id, paired, pending: request }
    : { id, paired, expired: request };
};

/** The device whose request this id is, or was before a larger ask replaced it. */
export const deviceOfRequest = (views: Views, requestId: string, moment: Moment): Device | undefined => {
  const owner = views.requests.get(requestId);
  return owner && deviceIn(views, owner.device, moment);
};

/** A request waits for five minutes after the device last asked, and as long as the session that asks is open. */
export const waits = (
  request: PendingRequest,
  views: Pick<Views, 'connected'>,
  { now }: Pick<Moment, 'now'>,
): boolean =>
  now - request.refreshedAt < limits.pairing.pendingMs ||
  (request.session !== undefined && views.connected.get(request.session) !== undefined);
