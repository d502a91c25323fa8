import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Upgrade } from '../transport/transport.js';
import { FairQueue } from './fair-queue.js';
import { refused } from './json-answer.js';
import { nativeMemory } from './native-memory.js';
import type { Place } from './place.js';

/** A socket that has not been let in. */
interface Waiter {
  /** It took too long. */
  expire(): void;
  /** It has not said anything yet. */
  readonly isSilent: boolean;
  /** Its room is needed for somebody else. */
  giveWay(): void;
  /** The same, and at once: what it has sent is not kept. */
  cut(): void;
  /** The gateway stops. */
  dismiss(): void;
}

/** Where sockets wait, of strangers or of this host. */
interface Room {
  /** So many may be open now. */
  most: number;
  /** So many cannot buffer more than they may in all, whatever they send. */
  readonly sure: number;
  /** So many may be open while they do not. */
  readonly open: number;
  /** What they may buffer in all. */
  readonly bytes: number;
  /** Memory of the process when it had no more sockets than are sure not to be too many. */
  before: number;
  /** When it had to be thinned last (ms, monotonic). */
  thinnedAt: number;
  /** For one source. */
  readonly mostOfSource: number;
  taken: number;
  readonly bySource: Map<string, number>;
  /** Upgrades for which there is no room yet. */
  readonly queue: FairQueue<Upgrade>;
  readonly mostQueued: number;
  readonly mostQueuedOfSource: number;
}

interface Entry {
  readonly source: string;
  readonly room: Room;
  readonly since: number;
}

const SWEEP_MS = 250;

const NO_ROOM = refused(
  '503 Service Unavailable',
  'preauth_limit',
  'too many unauthenticated connections; try again shortly',
  { 'retry-after': '1' },
);

interface Bounds {
  readonly bytes: number;
  readonly sockets: number;
  readonly perSource: number;
  readonly queued: number;
  readonly queuedPerSource: number;
}

interface Surroundings {
  /** Processes that share the room. A source's connections fall to them by chance, so each has a fair part of it. */
  readonly among?: number;
  /** Memory of this process in which what sockets have sent may lie. */
  readonly nativeBytes?: () => number;
}

/**
 * Sockets whose owners nobody knows yet: how many each source may have, how many there may be, and for how long. Where there is no room, an
 * upgrade waits for its turn, and sources take turns: a crowd that comes at once gets in one after the other, and one that
 * only holds sockets gives way to those that have fewer. One sweep for all, no timer for each.
 */
export class Preauth {
  /** In the order they came. */
  private readonly waiters = new Map<Waiter, Entry>();
  private readonly queued = new Map<Upgrade, Entry>();
  private readonly stopSweep: () => void;
  private readonly nativeBytes: () => number;
  private stopped = false;
  /** Room is being given to somebody: what gets free meanwhile is not given to others. */
  private dealing = false;

  /** Of strangers, and apart from them of this host, so that a flood from outside shuts nobody out here. */
  readonly room: { readonly network: Room; readonly loopback: Room };

  constructor(
    private readonly clock: Clock,
    { handshakeMs, maxPayloadBytes }: { readonly handshakeMs: number; readonly maxPayloadBytes: number },
    { among = 1, nativeBytes = nativeMemory }: Surroundings = {},
  ) {
    this.nativeBytes = nativeBytes;
    const roomOf = ({ bytes, sockets, perSource, queued, queuedPerSource }: Bounds): Room => {
      const sure = Math.max(1, Math.floor(bytes / maxPayloadBytes / among));
      const open = Math.max(sure, Math.ceil(sockets / among));
      return {
        most: open,
        sure,
        open,
        bytes: bytes / among,
        before: nativeBytes(),
        thinnedAt: Number.NEGATIVE_INFINITY,
        mostOfSource: Math.min(open, Math.ceil(perSource / among)),
        taken: 0,
        bySource: new Map(),
        queue: new FairQueue(),
        mostQueued: Math.ceil(queued / among),
        mostQueuedOfSource: Math.ceil(queuedPerSource / among),
      };
    };
    this.room = { network: roomOf(limits.preauth.network), loopback: roomOf(limits.preauth.loopback) };
    this.stopSweep = clock.every(SWEEP_MS, () => this.sweep(handshakeMs));
  }

  /** It proceeds, now or when its turn comes, or is refused. */
  admit(upgrade: Upgrade, place: Place): void {
    const { source } = place;
    const room = this.roomOf(place);
    const { queue } = room;
    if (this.stopped) upgrade.refuse(NO_ROOM);
    else if (this.takesRoom(room, source)) upgrade.proceed();
    else if (queue.size >= room.mostQueued || queue.of(source) >= room.mostQueuedOfSource) upgrade.refuse(NO_ROOM);
    else {
      queue.add(source, upgrade);
      this.queued.set(upgrade, { source, room, since: this.clock.monotonic() });
    }
  }

  /** It does not wait any longer. */
  forget(upgrade: Upgrade): void {
    const entry = this.queued.get(upgrade);
    if (entry === undefined) return;
    this.queued.delete(upgrade);
    entry.room.queue.delete(entry.source, upgrade);
  }

  add(waiter: Waiter, place: Place): void {
    const { source } = place;
    const room = this.roomOf(place);
    this.waiters.set(waiter, { source, room, since: this.clock.monotonic() });
    room.taken++;
    room.bySource.set(source, countOf(room, source) + 1);
  }

  /** It was let in, or is gone. */
  delete(waiter: Waiter): void {
    const entry = this.waiters.get(waiter);
    if (entry === undefined) return;
    this.waiters.delete(waiter);
    const { source, room } = entry;
    room.taken--;
    const left = (room.bySource.get(source) ?? 1) - 1;
    if (left === 0) room.bySource.delete(source);
    else room.bySource.set(source, left);
    this.serve(room);
  }

  /** Closes those that are still here. */
  closeAll(): void {
    for (const upgrade of [...this.queued.keys()]) this.refuse(upgrade);
    for (const waiter of [...this.waiters.keys()]) waiter.dismiss();
  }

  /** Nobody is admitted any more. */
  stop(): void {
    this.stopped = true;
    this.stopSweep();
  }

  private roomOf({ loopback }: Place): Room {
    return loopback ? this.room.loopback : this.room.network;
  }

  /** Is there room for one more of this source? It is taken then. */
  private takesRoom(room: Room, source: string): boolean {
    const { most, silent } = this.openingIn(room);
    if (countOf(room, source) >= most) return false;
    if (silent !== undefined) this.displace(silent);
    return true;
  }

  /** Those whose turn it is, as far as there is room. */
  private serve(room: Room): void {
    if (this.stopped || this.dealing) return;
    this.dealing = true;
    for (let swaps = 0; room.queue.size > 0 && swaps < limits.preauth.swaps; ) {
      const { most, silent } = this.openingIn(room);
      const next = room.queue.next((source) => countOf(room, source) < most);
      if (next === undefined) break;
      if (silent !== undefined) {
        this.displace(silent);
        swaps++;
      }
      room.queue.take(next.source, next.item);
      this.queued.delete(next.item);
      next.item.proceed();
    }
    this.dealing = false;
  }

  /**
   * A source with fewer than `most` may have one more. In a full room that is one that has none, or would still have less than the source whose
   * silent socket gives way.
   */
  private openingIn(room: Room): { readonly most: number; readonly silent?: Waiter } {
    if (room.taken < room.most) return { most: room.mostOfSource };
    const { silent, count } = this.silentIn(room);
    return silent === undefined ? { most: 0 } : { most: Math.min(room.mostOfSource, Math.max(1, count - 1)), silent };
  }

  /** The first that has said nothing for long, of the source that has most among those that have such. */
  private silentIn(room: Room): { readonly silent?: Waiter; readonly count: number } {
    const latest = this.clock.monotonic() - limits.preauth.silentMs;
    const heaviest = Math.max(...room.bySource.values());
    let found: { readonly silent?: Waiter; readonly count: number } = { count: 0 };
    for (const [waiter, entry] of this.waiters) {
      if (entry.since > latest || found.count === heaviest) break;
      const count = entry.room === room ? countOf(room, entry.source) : 0;
      if (count > found.count && waiter.isSilent) found = { silent: waiter, count };
    }
    return found;
  }

  /** Whoever it makes room for gets that room. */
  private displace(waiter: Waiter): void {
    const { dealing } = this;
    this.dealing = true;
    waiter.giveWay();
    this.dealing = dealing;
  }

  private refuse(upgrade: Upgrade): void {
    this.forget(upgrade);
    upgrade.refuse(NO_ROOM);
  }

  private sweep(handshakeMs: number): void {
    const latest = this.clock.monotonic() - handshakeMs;
    for (const [waiter, { since }] of this.waiters) {
      if (since > latest) break;
      waiter.expire();
    }
    for (const [upgrade, { since }] of this.queued) {
      if (since > latest) break;
      this.refuse(upgrade);
    }
    this.watchMemory();
    for (const room of this.rooms) this.serve(room);
  }

  /** Where more is buffered than may be, there are only as many sockets as could not do that: those beyond give way, whoever said nothing and the oldest first. */
  private watchMemory(): void {
    const now = this.clock.monotonic();
    const native = this.nativeBytes();
    for (const room of this.rooms) {
      /* What was given back may still be counted for a while. */
      if (room.taken <= room.sure && now - room.thinnedAt > limits.preauth.lingerMs) room.before = native;
      room.most = native - room.before > room.bytes ? room.sure : room.open;
      this.thin(room, now);
    }
  }

  private thin(room: Room, now: number): void {
    let beyond = room.taken - room.most;
    if (beyond > 0) room.thinnedAt = now;
    const { dealing } = this;
    this.dealing = true;
    for (const silent of [true, false])
      for (const [waiter, entry] of this.waiters) {
        if (beyond <= 0) break;
        if (entry.room !== room || waiter.isSilent !== silent) continue;
        waiter.cut();
        beyond--;
      }
    this.dealing = dealing;
  }

  private get rooms(): readonly Room[] {
    return [this.room.network, this.room.loopback];
  }
}

const countOf = (room: Room, source: string): number => room.bySource.get(source) ?? 0;
