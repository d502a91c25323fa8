import { setTimeout as sleep } from 'node:timers/promises';

/** Ms on a clock that all processes of this machine share. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** Calls at a pace, whatever becomes of the calls before (an open loop): each is told when it was due. */
export const paced = async (
  perSecond: number,
  seconds: number,
  call: (due: number, n: number) => void,
): Promise<{ readonly calls: number; readonly latestMs: number }> => {
  const begun = now();
  const calls = Math.round(perSecond * seconds);
  let latestMs = 0;
  for (let n = 0; n < calls; ) {
    const due = begun + (n * 1000) / perSecond;
    const wait = due - now();
    if (wait > 0) await sleep(Math.max(1, wait));
    else {
      latestMs = Math.max(latestMs, -wait);
      call(due, n++);
    }
  }
  return { calls, latestMs };
};
