import { monitorEventLoopDelay } from 'node:perf_hooks';
import { subjectOf } from '../../events/index.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Clock } from '../ports.js';

export interface HealthTicksOptions {
  readonly clock: Clock;
  readonly ledger: Ledger;
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
  boot,
  uptime,
  connections,
  intervalMs,
}: HealthTicksOptions): (() => void) => {
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
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
    };
    ledger.record([
      { type: 'health.ticked', subject: subjectOf.gateway, actor: { kind: 'gateway', rule: 'health' }, data },
    ]);
  };
  tick();
  const stop = clock.every(intervalMs, tick);
  return () => {
    stop();
    loop.disable();
  };
};
