import type { Origin } from '../events/index.js';
import type { PairedDevice } from './paired.js';
import type { PendingRequest } from './pending.js';

/*
 * Whom a row is about. A row holds only numbers of events, and what people are called and where they came from is looked up beside the log
 * where somebody is shown: so a view is made of the log's bytes alone, and comes out the same after personal data was erased.
 */

/** Personal data of an event, by its number; undefined if it has none, or none any more. */
export type OriginOf = (seq: number) => Origin | undefined;

/** Who asks, as far as that is still known. */
export const askerOf = ({ seq }: Pick<PendingRequest, 'seq'>, originOf: OriginOf): Origin => originOf(seq) ?? {};

/** Whoever holds a device: what its approvals say, the later over the earlier, and the label that an operator gave it. */
export const holderOf = (
  { origins, renamed }: Pick<PairedDevice, 'origins' | 'renamed'>,
  originOf: OriginOf,
): Pick<Origin, 'address' | 'displayName' | 'label'> => {
  let address: string | undefined;
  let displayName: string | undefined;
  for (const seq of origins) {
    const said = originOf(seq);
    address = said?.address ?? address;
    displayName = said?.displayName ?? displayName;
  }
  return { address, displayName, label: renamed === undefined ? undefined : originOf(renamed)?.label };
};

/** What people call a device. */
export const nameOf = (device: Pick<PairedDevice, 'origins' | 'renamed'>, originOf: OriginOf): string | undefined => {
  const { label, displayName } = holderOf(device, originOf);
  return label ?? displayName;
};
