import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Place } from './place.js';

/** A socket that has not been let in. */
interface Waiter {
  /** It took too long. */
  expire(): void;
  /** Its room is needed for somebody else. False if it keeps it: its connect is being looked at. */
  giveWay(): boolean;
  /** The gateway stops. */
  dismiss(): void;
}

/** Sockets that wait, of strangers or of this host. */
interface Room {
  readonly most: number;
  taken: number;
  readonly bySource: Map<string, number>;
}

interface Entry {
  readonly source: string;
  readonly room: Room;
  readonly since: number;
}

const SWEEP_MS = 250;

const roomFor = (most: number): Room => ({ most, taken: 0, bySource: new Map() });

/**
 * Sockets whose owners nobody knows yet: how many each source may have, how many there may be, and for how long. When all room is taken, a
 * source that has little of it gets some of the source that has most: so a crowd that only holds sockets keeps nobody else out.
 * One sweep for all, no timer for each.
 */
export class Preauth {
  /** In the order they came. */
  private readonly waiters = new Map<Waiter, Entry>();
  private readonly perSource: number;
  private readonly stopSweep: () => void;
  private stopped = false;

  /** Of strangers, and apart from them of this host, so that a flood from outside shuts nobody out here. */
  readonly room: { readonly network: Room; readonly loopback: Room };

  constructor(
    private readonly clock: Clock,
    { handshakeMs, maxPayloadBytes }: { readonly handshakeMs: number; readonly maxPayloadBytes: number },
    /** Processes that share it. A source's connections fall to them by chance, so each has a fair part of its room. */
    among = 1,
  ) {
    this.perSource = Math.ceil(limits.sockets.preauthPerSource / among);
    this.room = {
      network: roomFor(Math.floor(limits.sockets.preauthBytes / maxPayloadBytes / among)),
      loopback: roomFor(Math.floor(limits.sockets.preauthLoopbackBytes / maxPayloadBytes / among)),
    };
    this.stopSweep = clock.every(SWEEP_MS, () => this.sweep(handshakeMs));
  }

  /** May one more come from here? If it may, there is room when this returns. */
  admits(place: Place): boolean {
    if (this.stopped) return false;
    const room = this.roomOf(place);
    const own = room.bySource.get(place.source) ?? 0;
    if (!place.loopback && own >= this.perSource) return false;
    return room.taken < room.most || this.makeRoom(room, own);
  }

  add(waiter: Waiter, place: Place): void {
    const { source } = place;
    const room = this.roomOf(place);
    this.waiters.set(waiter, { source, room, since: this.clock.monotonic() });
    room.taken++;
    room.bySource.set(source, (room.bySource.get(source) ?? 0) + 1);
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
  }

  /** Closes those that are still here. */
  closeAll(): void {
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

  /** The oldest of the source that has most gives way to one that would have less. */
  private makeRoom(room: Room, own: number): boolean {
    let [heaviest, most] = ['', own + 1];
    for (const [source, count] of room.bySource) if (count > most) [heaviest, most] = [source, count];
    if (heaviest === '') return false;
    for (const [waiter, entry] of this.waiters) {
      if (entry.room === room && entry.source === heaviest && waiter.giveWay()) return true;
    }
    return false;
  }

  private sweep(handshakeMs: number): void {
    const latest = this.clock.monotonic() - handshakeMs;
    for (const [waiter, { since }] of this.waiters) {
      if (since > latest) return;
      waiter.expire();
    }
  }
}
