import { LRUCache } from 'lru-cache';
import { type Fact, subjectOf } from '../../events/index.js';
import { sourceKey, type Views } from '../../projections/index.js';
import type { Keys } from '../credentials/keys.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

/*
 * Who guesses is made to wait: ten wrong credentials in a minute from one source, and nothing of that kind is heard from it for five
 * (protocol.md §5.7). Counts are in memory; a lock-out is an event, so a restart does not end it. Programs on this host are
 * delayed instead, because they all share one address.
 */

export type LimitScope = 'shared-secret' | 'device-token' | 'signature';

/** Whom a count is kept for. */
export interface Guesser {
  readonly source: string;
  /** Delayed, not locked out. */
  readonly loopback: boolean;
}

/** A credential that was shown, as far as the limiter is told: right, or wrong. */
export interface Attempt {
  readonly scope: LimitScope;
  readonly guesser: Guesser;
  readonly wrong: boolean;
}

export interface LimiterOptions {
  readonly clock: Clock;
  readonly keys: Pick<Keys, 'source'>;
  readonly views: () => Pick<Views, 'sources'>;
  readonly record: (fact: Fact) => void;
  /** Tells the other processes of this gateway, which count the same: who guesses does not begin anew at each of them. */
  readonly tell?: (attempt: Attempt) => void;
  readonly limits: { readonly failures: number; readonly windowMs: number; readonly lockMs: number };
}

export class Limiter {
  private readonly failures: LRUCache<string, number[]>;
  /** Lock-outs by key of the view: until when. */
  private readonly locks = new Map<string, number>();

  constructor(private readonly options: LimiterOptions) {
    this.failures = new LRUCache({ max: limits.limiter.sources });
    for (const [key, { until }] of options.views().sources.entries()) this.locks.set(key, until);
  }

  /** Ms until this source is heard again; 0 if it is heard now. */
  lockedFor(scope: LimitScope, guesser: Guesser): number {
    if (this.locks.size === 0) return 0;
    const key = this.keyOf(scope, guesser);
    const until = this.locks.get(key);
    if (until === undefined) return 0;
    const left = until - this.options.clock.now();
    if (left <= 0) this.locks.delete(key);
    return Math.max(0, left);
  }

  /** Ms that an attempt from this host waits before it is looked at: doubling with each failure. */
  delayFor({ source, loopback }: Guesser): number {
    if (!loopback) return 0;
    const failed = Math.max(
      ...(['shared-secret', 'device-token'] as const).map((scope) => this.recent(`${scope}/${source}`).length),
    );
    return failed === 0
      ? 0
      : Math.min(limits.limiter.loopbackDelayCeilingMs, limits.limiter.loopbackDelayMs * 2 ** (failed - 1));
  }

  failed(scope: LimitScope, guesser: Guesser): void {
    const attempt = { scope, guesser, wrong: true };
    this.heard(attempt);
    this.options.tell?.(attempt);
  }

  succeeded(scope: LimitScope, guesser: Guesser): void {
    if (!this.failures.has(`${scope}/${guesser.source}`)) return;
    const attempt = { scope, guesser, wrong: false };
    this.heard(attempt);
    this.options.tell?.(attempt);
  }

  /** It was made here, or at another process of this gateway. */
  heard({ scope, guesser, wrong }: Attempt): void {
    const key = `${scope}/${guesser.source}`;
    if (!wrong) {
      this.failures.delete(key);
      return;
    }
    const recent = [...this.recent(key), this.options.clock.now()].slice(-this.options.limits.failures);
    this.failures.set(key, recent);
    if (!guesser.loopback && recent.length >= this.options.limits.failures) this.lock(scope, guesser, recent.length);
  }

  private recent(key: string): readonly number[] {
    const since = this.options.clock.now() - this.options.limits.windowMs;
    return (this.failures.get(key) ?? []).filter((at) => at > since);
  }

  private lock(scope: LimitScope, guesser: Guesser, failures: number): void {
    const now = this.options.clock.now();
    const until = now + this.options.limits.lockMs;
    for (const [key, end] of this.locks) if (end <= now) this.locks.delete(key);
    const source = this.options.keys.source(guesser.source);
    this.failures.delete(`${scope}/${guesser.source}`);
    this.locks.set(sourceKey(scope, source), until);
    const [oldest = ''] = this.locks.keys();
    if (this.locks.size > limits.limiter.sources) this.locks.delete(oldest);
    if (this.locks.size > limits.limiter.recorded) return;
    this.options.record({
      type: 'source.locked',
      subject: subjectOf.source(source),
      actor: { kind: 'gateway', rule: 'limiter' },
      data: { source, scope, failures, until },
      origin: { address: guesser.source },
    });
  }

  private keyOf(scope: LimitScope, { source }: Guesser): string {
    return sourceKey(scope, this.options.keys.source(source));
  }
}
