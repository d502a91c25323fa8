import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

export interface TicksOptions {
  readonly clock: Clock;
  readonly tick: () => void;
  readonly refreshHealth: () => void;
}

/** Signs of life to every client, which closes a connection that is silent for two of them (protocol.md §12). */
export const beginTicks = ({ clock, tick, refreshHealth }: TicksOptions): (() => void) => {
  const stops = [clock.every(limits.wire.tickMs, tick), clock.every(limits.wire.healthMs, refreshHealth)];
  return () => {
    for (const stop of stops) stop();
  };
};
