import * as E from 'fp-ts/lib/Either.js';
import type { Actor, Event } from '../../events/index.js';
import type { Keys } from '../credentials/keys.js';
import { askToRun, type Decision, decideRun, expireRun } from '../decisions/exec-approval.js';
import type { Principal } from '../decisions/principal.js';
import type { Refusal } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { type Binding, bindingOf, type Plan } from '../protocol/system-run.js';
import type { Broadcast } from './broadcast.js';

/*
 * Runs that somebody asked about. Whether one may be run is in the log, which knows the plan by its digest alone; what the plan says is only
 * here, for those who decide, and gone with the process.
 */

/** What those who decide are shown. */
export interface RunRequest {
  readonly command: string;
  readonly systemRunBinding: Binding | null;
  readonly systemRunPlan: Plan | null;
  readonly nodeId: string | null;
  readonly [shown: string]: unknown;
}

export interface Shown {
  readonly id: string;
  readonly request: RunRequest;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** `decision` is null if nobody decided in time. */
export type Told = Omit<Shown, 'request'> & { readonly decision: Decision | null };

interface Live extends Shown {
  readonly told: Promise<Told>;
  readonly settle: (decision: Decision | null) => void;
}

export interface ApprovalsOptions {
  readonly clock: Clock;
  readonly ledger: Pick<Ledger, 'decide' | 'commit' | 'views'>;
  readonly keys: Pick<Keys, 'digest'>;
  readonly broadcast: Pick<Broadcast, 'send'>;
  /** What people call whoever decided. */
  readonly nameOf: (actor: Actor) => string | null;
}

export interface AskedToRun {
  readonly id: string;
  readonly request: RunRequest;
  readonly timeoutMs: number;
  readonly by: Principal;
}

export class Approvals {
  /** Those that wait, and for a while those that do not any more. */
  private readonly live = new Map<string, Live>();
  /** What was asked, until the log has the question. */
  private readonly asked = new Map<string, RunRequest>();

  constructor(private readonly options: ApprovalsOptions) {}

  /** Settles when the log has the question. */
  async ask({ id, request, timeoutMs, by }: AskedToRun): Promise<E.Either<Refusal, Live>> {
    const { ledger, clock } = this.options;
    const outcome = await ledger.decide({
      decide: (views, moment) => {
        const { nodeId } = request;
        const asked = { approval: id, plan: this.planOf(request), device: nodeId ?? undefined, timeoutMs, by };
        const decided = askToRun(views, asked, moment);
        if (E.isRight(decided)) this.asked.set(id, request);
        return decided;
      },
      answer: () => undefined,
    });
    this.asked.delete(id);
    if (E.isLeft(outcome)) return outcome;
    const live = this.live.get(id);
    if (live === undefined) throw new Error('what was asked is not there');
    clock.after(timeoutMs, () =>
      ledger.commit(
        { decide: (views) => E.right(expireRun(views, id, 'timed-out')), answer: () => undefined },
        () => {},
      ),
    );
    return E.right(live);
  }

  decide(id: string, decision: Decision, by: Principal): Promise<E.Either<Refusal, undefined>> {
    return this.options.ledger.decide({
      decide: (views, moment) => decideRun(views, { approval: id, decision, by }, moment),
      answer: () => undefined,
    });
  }

  /** What became, or will become, of a question; undefined if nobody asked it, or long ago. */
  told(id: string): Promise<Told> | undefined {
    return this.live.get(id)?.told;
  }

  /** What waits for a decision. */
  waiting(): readonly Shown[] {
    const { approvals } = this.options.ledger.views;
    return [...this.live.values()].filter(({ id }) => {
      const row = approvals.get(id);
      return row !== undefined && row.allowed === undefined;
    });
  }

  get(id: string): Shown | undefined {
    return this.live.get(id);
  }

  /** The digest by which the log knows what would be run. */
  planOf({ systemRunBinding, nodeId, command }: Pick<RunRequest, 'systemRunBinding' | 'nodeId' | 'command'>): string {
    return this.options.keys.digest(JSON.stringify([nodeId, systemRunBinding ?? command]));
  }

  /** The digest of what an approved plan would run with this environment. */
  planWith({ systemRunPlan, nodeId, command }: RunRequest, env: unknown): string {
    const systemRunBinding = systemRunPlan === null ? null : bindingOf(systemRunPlan, env);
    return this.planOf({ systemRunBinding, nodeId, command });
  }

  /** A fact of the log: everybody who may decide hears of it, and whoever asked is told. */
  announce(event: Event): void {
    switch (event.type) {
      case 'exec.approval-requested':
        return this.begin(event.data.approval, event.at, event.data.expiresAt);
      case 'exec.approval-decided': {
        const { approval: id, decision } = event.data;
        const live = this.live.get(id);
        const resolvedBy = this.options.nameOf(event.actor);
        this.options.broadcast.send('exec.approval.resolved', {
          id,
          decision,
          resolvedBy,
          ts: event.at,
          request: live?.request,
        });
        return this.end(id, decision);
      }
      case 'exec.approval-expired':
        return this.end(event.data.approval, null);
      default:
    }
  }

  private begin(id: string, createdAtMs: number, expiresAtMs: number): void {
    const request = this.asked.get(id);
    if (request === undefined) return;
    let settle: Live['settle'] = () => {};
    const told = new Promise<Told>((resolve) => {
      settle = (decision) => resolve({ id, decision, createdAtMs, expiresAtMs });
    });
    this.live.set(id, { id, request, createdAtMs, expiresAtMs, told, settle });
    this.options.broadcast.send('exec.approval.requested', { id, request, createdAtMs, expiresAtMs });
  }

  /** The answer can be had for a while. */
  private end(id: string, decision: Decision | null): void {
    const live = this.live.get(id);
    if (live === undefined) return;
    live.settle(decision);
    this.options.clock.after(limits.exec.grantMs, () => {
      if (this.live.get(id) === live) this.live.delete(id);
    });
  }
}
