import { type Fact, subjectOf } from '../../events/index.js';
import type { Keys } from '../credentials/keys.js';
import { actorOf, type Principal } from '../decisions/principal.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

/*
 * What nodes say of themselves (`node.event`): so many in a minute are events of their own, and the rest is one number. What they say is not
 * kept; a keyed digest of it is, so that whoever has it can show that it was said.
 */

interface Share {
  readonly from: number;
  count: number;
}

export interface Report {
  readonly device: string;
  readonly event: string;
  /** JSON of what it says. */
  readonly payload: string | undefined;
  readonly by: Principal;
}

export interface NodeReportsOptions {
  readonly clock: Clock;
  readonly keys: Pick<Keys, 'digest'>;
  readonly record: (fact: Fact) => void;
}

export class NodeReports {
  /** Of this minute, by device. */
  private readonly shares = new Map<string, Share>();
  private stopWaiting: (() => void) | undefined;

  constructor(private readonly options: NodeReportsOptions) {}

  take({ device, event, payload, by }: Report): void {
    const { clock, keys, record } = this.options;
    this.stopWaiting ??= clock.after(limits.nodes.reportsMs, () => this.sweep());
    const share = this.shares.get(device) ?? { from: clock.now(), count: 0 };
    this.shares.set(device, share);
    share.count++;
    if (share.count > limits.nodes.reports) return;
    const data = {
      device,
      event,
      bytes: Buffer.byteLength(payload ?? ''),
      payload: payload === undefined ? undefined : keys.digest(payload),
    };
    record({ type: 'node.reported', subject: subjectOf.device(device), actor: actorOf(by), data });
  }

  stop(): void {
    this.stopWaiting?.();
    this.sweep();
  }

  private sweep(): void {
    const { clock, record } = this.options;
    for (const [device, { from, count }] of this.shares) {
      const total = count - limits.nodes.reports;
      if (total <= 0) continue;
      record({
        type: 'node.reports-summarised',
        subject: subjectOf.device(device),
        actor: { kind: 'gateway', rule: 'node-reports' },
        data: { device, from, to: clock.now(), total },
      });
    }
    this.shares.clear();
    this.stopWaiting = undefined;
  }
}
