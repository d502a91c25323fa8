import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import { refusal } from '../errors.js';
import type { Decided } from './decision.js';
import type { Device } from './device.js';
import { actorOf, mayManage, originOf, type Principal } from './principal.js';

export interface Rename {
  readonly label: string;
  readonly by: Principal;
}

/** Gives a paired device a name of the operator's, which the device cannot change. */
export const rename = (device: Device, { label, by }: Rename): Decided => {
  if (!mayManage(by, device.id)) return E.left(refusal('rename-denied'));
  if (device.paired === undefined) return E.left(refusal('unknown-device'));
  return E.right([
    {
      type: 'device.renamed',
      subject: subjectOf.device(device.id),
      actor: actorOf(by),
      cause: device.paired.seq,
      data: { device: device.id },
      origin: { ...originOf(by), label },
    },
  ]);
};
