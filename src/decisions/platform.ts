import type { Client } from '../../events/index.js';
import type { PairedDevice } from '../../projections/index.js';
import { lowered } from '../text.js';

/* What a device says it runs is pinned at its approval: a node that could claim another platform would gain its commands
 * (CVE-2026-32014). An update of the same platform is not another platform. */

/** A platform without its version: `macos 15.2` → `macos`, `win32` → `win32`. */
const nameOf = (platform: string): string => {
  const words = lowered(platform).split(/\s+/);
  const version = words.findIndex((word) => /^[\d(v]*\d/.test(word));
  return (version > 0 ? words.slice(0, version) : words).join(' ');
};

export type Metadata = 'same' | 'updated' | 'changed';

/** How a claim compares with what is pinned. What was never pinned binds nobody; what was pinned and is not claimed differs. */
export const compare = (pinned: PairedDevice['client'], claim: Pick<Client, 'platform' | 'deviceFamily'>): Metadata => {
  const family = lowered(pinned.deviceFamily);
  if (family !== '' && family !== lowered(claim.deviceFamily)) return 'changed';
  if (lowered(pinned.platform) === '' || lowered(pinned.platform) === lowered(claim.platform)) return 'same';
  return nameOf(pinned.platform) === nameOf(claim.platform) ? 'updated' : 'changed';
};
