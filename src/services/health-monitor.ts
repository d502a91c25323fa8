import { type Fact, subjectOf } from '../../events/index.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { Mending } from './mending.js';

/*
 * Looks at the components of the gateway, each interval, and says when one is not as it was. That a component is well is no event; that it is
 * so no longer, or again, is one, with what was seen.
 */

export type State = 'ok' | 'degraded' | 'failed';

export interface Finding {
  readonly state: State;
  /** What was seen: figures, and no personal data. */
  readonly evidence: string;
}

export interface Check {
  readonly component: string;
  readonly look: () => Finding | Promise<Finding>;
  /** Begins it again; absent where that cannot be done from here. */
  readonly mend?: () => Promise<void>;
}

/** How a component is doing, and since when (ms). */
export interface Standing extends Finding {
  readonly component: string;
  readonly since: number;
}

export interface HealthMonitorOptions {
  readonly clock: Clock;
  readonly record: (fact: Fact) => void;
  /** A line for people. */
  readonly tell: (line: string, state: State) => void;
  readonly intervalMs: number;
}

const NEEDED = ['listener', 'log'];

export class HealthMonitor {
  private readonly standings = new Map<string, Standing>();
  private checks: readonly Check[] = [];
  private looking = false;
  private readonly mending = new Mending();

  constructor(private readonly options: HealthMonitorOptions) {}

  /** A start has its time to settle. */
  begin(checks: readonly Check[]): () => void {
    const { clock, intervalMs } = this.options;
    this.checks = checks;
    const stops = [
      clock.after(limits.health.graceMs, () => void this.look()),
      clock.every(intervalMs, () => void this.look()),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }

  /** As they were when they were looked at last. */
  get components(): readonly Standing[] {
    return [...this.standings.values()];
  }

  /** Of those without which nobody can be let in. */
  get failing(): readonly string[] {
    return this.components
      .filter(({ state }) => state === 'failed')
      .map(({ component }) => component)
      .filter((component) => NEEDED.includes(component));
  }

  /** All at once: one that hangs keeps the others from nothing, and is given up in time. */
  async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      await Promise.all(this.checks.map((check) => this.lookAt(check)));
    } finally {
      this.looking = false;
    }
  }

  private async lookAt(check: Check): Promise<void> {
    const finding = await this.finding(check.look);
    this.found(check.component, finding);
    if (finding.state === 'ok' || check.mend === undefined) return;
    if (!this.mending.isDue(check.component, this.options.clock.monotonic())) return;
    await this.mended(check.component, check.mend);
    this.found(check.component, await this.finding(check.look));
  }

  private async mended(component: string, mend: () => Promise<void>): Promise<void> {
    const { clock, record } = this.options;
    const attempt = this.mending.tried(component, clock.monotonic());
    const { state, evidence } = await this.finding(async () => {
      await mend();
      return { state: 'ok', evidence: 'begun again' };
    });
    record({
      type: 'health.mended',
      subject: subjectOf.gateway,
      actor: { kind: 'gateway', rule: 'health-monitor' },
      data: {
        component,
        attempt,
        outcome: state === 'ok' ? 'done' : 'failed',
        evidence: state === 'ok' ? undefined : evidence.slice(0, limits.health.evidenceChars),
      },
    });
  }

  private async finding(look: Check['look']): Promise<Finding> {
    let stop = (): void => {};
    const late = new Promise<Finding>((resolve) => {
      stop = this.options.clock.after(limits.health.checkMs, () =>
        resolve({ state: 'failed', evidence: `no answer within ${limits.health.checkMs} ms` }),
      );
    });
    try {
      return await Promise.race([look(), late]);
    } catch (error) {
      return { state: 'failed', evidence: (error as Error).message };
    } finally {
      stop();
    }
  }

  private found(component: string, { state, evidence }: Finding): void {
    const { clock, record, tell } = this.options;
    const before = this.standings.get(component);
    const from = before?.state ?? 'ok';
    const since = before !== undefined && from === state ? before.since : clock.now();
    this.standings.set(component, { component, state, evidence, since });
    if (from === state) return;
    record({
      type: 'health.changed',
      subject: subjectOf.gateway,
      actor: { kind: 'gateway', rule: 'health-monitor' },
      data: { component, from, to: state, evidence: evidence.slice(0, limits.health.evidenceChars) },
    });
    tell(`${component}: ${state}, was ${from} (${evidence})`, state);
  }
}
