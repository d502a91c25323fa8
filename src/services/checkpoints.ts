import * as E from 'fp-ts/lib/Either.js';
import type { Checkpoints } from '../ledger/checkpoints.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

interface Signing {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly checkpoints: Checkpoints;
  /** Told once, and again only after it went well in between. */
  readonly failed: (why: string) => void;
}

/** Signs a checkpoint soon after new events. What it returns ends that. */
export const beginCheckpoints = ({ clock, ledger, checkpoints, failed }: Signing): (() => void) => {
  let trouble = false;
  let busy = false;
  const sign = async (): Promise<void> => {
    if (busy || !ledger.health.writable || checkpoints.latest?.checkpoint.size === ledger.tip.size) return;
    busy = true;
    const why = await signed(checkpoints);
    busy = false;
    if (why !== undefined && !trouble) failed(why);
    trouble = why !== undefined;
  };
  return clock.every(limits.ledger.checkpointMs, () => void sign());
};

/** Why it could not be signed. */
const signed = async (checkpoints: Checkpoints): Promise<string | undefined> => {
  try {
    const outcome = await checkpoints.now();
    return E.isLeft(outcome) ? outcome.left.message : undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
