import { limits } from '../limits.js';

const HOUR_MS = 60 * 60 * 1000;

/** How often what is not well is begun again: with pauses that double, and so many times an hour. */
export class Mending {
  /** When each was, of the last hour (ms). */
  private readonly attempts = new Map<string, readonly number[]>();

  isDue(component: string, now: number): boolean {
    const times = this.within(component, now);
    const pause = limits.health.mendAfterMs * 2 ** (times.length - 1);
    return times.length < limits.health.mendsAnHour && now - (times.at(-1) ?? Number.NEGATIVE_INFINITY) >= pause;
  }

  /** Returns how many there were within the hour, this one among them. */
  tried(component: string, now: number): number {
    const times = [...this.within(component, now), now];
    this.attempts.set(component, times);
    return times.length;
  }

  private within(component: string, now: number): readonly number[] {
    return (this.attempts.get(component) ?? []).filter((at) => now - at < HOUR_MS);
  }
}
