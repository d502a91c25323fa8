import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { subjectOf } from '../../events/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import type { Device } from './device.js';
import { actorOf, mayManage, originOf, type Principal } from './principal.js';
import { requestOf } from './request.js';

export interface Reject {
  readonly requestId: string;
  readonly by: Principal;
}

/** Somebody says no to one pending request. The device may ask again. */
export const reject = (device: Device | undefined, { requestId, by }: Reject): Decided =>
  pipe(
    requestOf(device, requestId, by, 'rejection-denied'),
    E.filterOrElseW(
      (request) => mayManage(by, request.device),
      () => refusal('rejection-denied'),
    ),
    E.map((request) => [
      {
        type: 'pairing.rejected',
        subject: subjectOf.device(request.device),
        actor: actorOf(by),
        cause: request.seq,
        data: { requestId, device: request.device },
        origin: originOf(by),
      },
    ]),
  );
