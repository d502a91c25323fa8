import { readdir, statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { subjectOf } from '../../events/index.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Clock } from '../ports.js';

export interface HealthTicksOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
  /** Folder on whose disk the log lies. */
  readonly folder: string;
  readonly boot: string;
  readonly uptime: () => number;
  readonly connections: () => number;
  readonly intervalMs: number;
}

const NANOSECONDS_PER_MS = 1e6;

/** Proof that the record was kept at this time: two of these that lie too far apart are a gap in the watch. */
export const beginHealthTicks = ({
  clock,
  ledger,
  folder,
  boot,
  uptime,
  connections,
  intervalMs,
}: HealthTicksOptions): (() => void) => {
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  let seen: Seen = {};
  const tick = (): void => {
    const { pending, paired } = ledger.views;
    const loopDelayMs = Math.round((loop.count > 0 ? loop.max : 0) / NANOSECONDS_PER_MS);
    loop.reset();
    const data = {
      boot,
      uptimeMs: uptime(),
      connections: connections(),
      pending: pending.size(),
      paired: paired.size(),
      rssBytes: process.memoryUsage.rss(),
      loopDelayMs,
      position: ledger.log.position,
      ...seen,
    };
    ledger.record([
      { type: 'health.ticked', subject: subjectOf.gateway, actor: { kind: 'gateway', rule: 'health' }, data },
    ]);
    void look(folder).then((now) => {
      seen = now;
    });
  };
  tick();
  const stop = clock.every(intervalMs, tick);
  return () => {
    stop();
    loop.disable();
  };
};

interface Seen {
  readonly diskFreeBytes?: number;
  readonly descriptors?: number;
}

/** A disk that hangs holds nobody up. */
const look = async (folder: string): Promise<Seen> => {
  const [disk, descriptors] = await Promise.allSettled([statfs(folder), readdir('/proc/self/fd')]);
  return {
    ...(disk.status === 'fulfilled' ? { diskFreeBytes: disk.value.bavail * disk.value.bsize } : {}),
    ...(descriptors.status === 'fulfilled' ? { descriptors: descriptors.value.length } : {}),
  };
};
