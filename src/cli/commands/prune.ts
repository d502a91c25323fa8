import type { Stale, StaleList } from '../../forensics/stale.js';
import { counted, time } from '../../forensics/words.js';
import { ask } from '../ask.js';
import { device } from '../audit-text.js';
import { call } from '../call.js';
import { CallRefused } from '../client.js';
import { json, say, tell } from '../output.js';
import type { ReachOptions } from '../reach.js';

/** openclaw devices prune: removes what nobody has used for so long; each is asked about again in the moment of its removal. */
export const prune = async (
  notSeen: string,
  dryRun: boolean,
  options: ReachOptions,
  asJson: boolean,
): Promise<void> => {
  const { answer } = await ask<StaleList>('stale', { notSeen }, options);
  const stale = answer.devices.filter(({ whole }) => whole);
  const removed: string[] = [];
  for (const one of dryRun ? [] : stale)
    if (await removeIfUnseen(one.device, answer.since, options)) removed.push(one.device);
  if (asJson) return json({ version: 1, since: answer.since, dryRun, stale, removed });
  if (stale.length === 0) return say(`Every device was here in the last ${notSeen}`);
  for (const one of stale)
    say(
      `${dryRun ? 'would remove' : removed.includes(one.device) ? 'removed' : 'kept, it came meanwhile:'} ${shown(one)}`,
    );
  if (dryRun)
    tell(
      `Nothing was removed. To remove ${counted(stale.length, 'device')}: openclaw devices prune --not-seen ${notSeen}`,
    );
};

const shown = ({ device: id, name, seenAt, approvedAt }: Stale): string =>
  `${device(id, name)}: ${seenAt === undefined ? `never came, approved ${time(approvedAt)}` : `last here ${time(seenAt)}`}`;

const removeIfUnseen = async (deviceId: string, unseenSince: number, options: ReachOptions): Promise<boolean> => {
  try {
    await call('device.pair.remove', { deviceId, unseenSince }, options);
    return true;
  } catch (error) {
    if (error instanceof CallRefused && error.error.message === 'device was seen since') return false;
    throw error;
  }
};
