import type { Event } from '../../events/index.js';
import { requestIn } from '../../projections/index.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Dialect } from '../protocol/dialect.js';
import type { StateVersion } from '../protocol/frames.js';
import { pendingOnWire } from '../protocol/pairing.js';
import type { Broadcast } from './broadcast.js';
import type { Health } from './health.js';
import type { Presence } from './presence.js';

/*
 * What is told to clients without their asking. Of the log: pairing events, straight from it, so nothing is broadcast that was
 * not recorded. Of the moment: ticks, health and presence, which are never evidence.
 */

export interface AnnouncerOptions {
  readonly clock: Clock;
  readonly broadcast: Broadcast;
  readonly presence: Presence;
  readonly health: Health;
}

export class Announcer {
  private due: 'came' | 'left' | undefined;

  constructor(private readonly options: AnnouncerOptions) {}

  /** A fact of the log that clients want to hear of (protocol.md §6.9). */
  announce(event: Event): void {
    const { broadcast } = this.options;
    switch (event.type) {
      case 'pairing.requested':
        if (!event.data.silent)
          broadcast.send('device.pair.requested', pendingOnWire(requestIn(event), event.origin ?? {}));
        return;
      case 'pairing.approved':
        return this.resolved(event.data, 'approved', event.at);
      case 'pairing.rejected':
      case 'pairing.superseded':
        return this.resolved(event.data, 'rejected', event.at);
      case 'device.renamed':
      case 'device.removed':
        return broadcast.send('device.pair.changed', {});
      default:
    }
  }

  private resolved(
    { requestId, device }: { readonly requestId: string; readonly device: string },
    decision: string,
    ts: number,
  ): void {
    this.options.broadcast.send('device.pair.resolved', { requestId, deviceId: device, decision, ts });
  }

  tick(): void {
    this.options.broadcast.send('tick', { ts: this.options.clock.now() });
  }

  /** Looks again and tells everybody. */
  refreshHealth(): void {
    const { health, broadcast } = this.options;
    health.refresh();
    broadcast.send('health', health.result, { stateVersion: this.versions() });
  }

  /** Somebody came or left: told soon, and once for all who did meanwhile. A v3 client does not expect to hear of those who come. */
  presenceChanged(change: 'came' | 'left'): void {
    if (this.due === undefined) this.options.clock.after(limits.presence.coalesceMs, () => this.tellPresence());
    this.due = this.due === 'left' ? 'left' : change;
  }

  tellPresence(change = this.due): void {
    this.due = undefined;
    if (change === undefined) return;
    const only = change === 'came' ? { only: 4 as const } : {};
    this.options.broadcast.send(
      'presence',
      { presence: this.options.presence.list() },
      { stateVersion: this.versions(), ...only },
    );
  }

  /** An app began to listen, or stopped: told as it is said, and kept nowhere. Returns what everybody is told. */
  talkMode(enabled: boolean, phase: string | undefined): object {
    const mode = { enabled, phase: phase ?? null, ts: this.options.clock.now() };
    this.options.broadcast.send('talk.mode', mode);
    return mode;
  }

  /** When we will be back is not known: null in protocol 3, left out in 4. */
  shutdown(): void {
    const reason = 'gateway stopping';
    this.options.broadcast.send('shutdown', (dialect: Dialect) =>
      dialect === 3 ? { reason, restartExpectedMs: null } : { reason },
    );
  }

  /** How often what is shown has changed. */
  versions(): StateVersion {
    return { presence: this.options.presence.version, health: this.options.health.version };
  }
}
