import type { Health as LedgerHealth } from '../ledger/ledger.js';
import type { Clock } from '../ports.js';
import { Encoded } from '../protocol/frames.js';

/* The health result that clients poll (protocol.md §8.6). There are no agents and no channels here, and it says so in their shape. */

const HEARTBEAT = { enabled: false, every: '0m', everyMs: null, prompt: '', target: 'none', ackMaxChars: 300 } as const;

const SESSIONS = { path: '(none)', count: 0, recent: [] } as const;

export interface HealthOptions {
  readonly clock: Clock;
  readonly ledger: () => LedgerHealth;
}

export class Health {
  private changes = 1;
  private at = 0;
  private encoded: Encoded = new Encoded('{}');

  constructor(private readonly options: HealthOptions) {
    this.refresh();
  }

  /** Counts refreshes; goes with every result. */
  get version(): number {
    return this.changes;
  }

  /** The result of the last look, encoded once for all who ask. */
  get result(): Encoded {
    return this.encoded;
  }

  /** Ms since the last look. */
  get age(): number {
    return this.options.clock.now() - this.at;
  }

  refresh(): void {
    this.at = this.options.clock.now();
    this.changes++;
    this.encoded = new Encoded(JSON.stringify(this.look()));
  }

  private look() {
    const ledger = this.options.ledger();
    return {
      ok: ledger.writable,
      ts: this.at,
      durationMs: 0,
      channels: {},
      channelOrder: [],
      channelLabels: {},
      heartbeatSeconds: 0,
      defaultAgentId: 'main',
      agents: [{ agentId: 'main', isDefault: true, heartbeat: HEARTBEAT, sessions: SESSIONS }],
      sessions: SESSIONS,
      ...(ledger.writable ? {} : { log: { writable: false, why: ledger.why } }),
    };
  }
}
