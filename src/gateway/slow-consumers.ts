import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { cutSlow, type Session } from './session.js';

/**
 * Each client may be behind by so much, but not all of them at once: when what waits for all together is more than this process can hold, those that
 * are furthest behind are let go, until it is no more than that. One look at all every few seconds; none of them has a timer of its own.
 */
export const watchSlowConsumers = (clock: Clock, sessions: () => Iterable<Session>): (() => void) =>
  clock.every(limits.wire.bufferedSweepMs, () => {
    const behind: (readonly [session: Session, bytes: number])[] = [];
    let total = 0;
    for (const session of sessions()) {
      const bytes = session.socket.buffered;
      if (bytes === 0) continue;
      total += bytes;
      behind.push([session, bytes]);
    }
    if (total <= limits.wire.bufferedInAllBytes) return;
    behind.sort(([, a], [, b]) => b - a);
    for (const [session, bytes] of behind) {
      if (total <= limits.wire.bufferedInAllBytes) return;
      cutSlow(session);
      total -= bytes;
    }
  });
