import { hash } from 'node:crypto';
import type { Damage } from './damage.js';
import { Holes } from './holes.js';
import { type Range, without } from './ranges.js';
import type { Leaf } from './source.js';

/** The first fields of every event, as they are written. */
const HEAD = /^\{"seq":(\d+),"at":(\d+),"type":"([a-z.-]+)"/;
const HEAD_BYTES = 96;

/** The last field of an event that has personal data: their SHA-256 in hex. */
const ORIGIN = ',"origin":"';
const HASH_CHARS = 64;
const ORIGIN_BYTES = ORIGIN.length + HASH_CHARS + '"}'.length;

/** Damage that is told one by one. */
const TOLD = 1000;

/** What events say, beside that they are what was recorded: their place, their time, their personal data, and what they tell of holes. */
export class Contents {
  readonly damage: Damage[] = [];
  readonly holes = new Holes();
  bytes = 0;
  /** Events whose personal data are gone, as ranges. */
  private readonly without: { from: number; to: number }[] = [];
  private at = 0;

  see(seq: number, { bytes, origin }: Leaf): void {
    this.bytes += bytes.length;
    const [, number, at, type = ''] = HEAD.exec(bytes.toString('latin1', 0, HEAD_BYTES)) ?? [];
    if (number === undefined) this.tell({ class: 'event-invalid', from: seq, to: seq, what: 'it is not an event' });
    else if (Number(number) !== seq)
      this.tell({ class: 'event-invalid', from: seq, to: seq, what: `it says that it is event ${number}` });
    else if (Number(at) < this.at)
      this.tell({ class: 'event-invalid', from: seq, to: seq, what: 'it is earlier than the event before it' });
    else {
      this.at = Number(at);
      this.holes.see(seq, this.at, type, bytes);
    }
    if (origin !== null) this.seeOrigin(seq, bytes, origin);
  }

  /** Have any events lost their personal data, whether an erasure names them or not? */
  get lacking(): boolean {
    return this.without.length > 0;
  }

  /** Ranges of events whose personal data are gone although no erasure names them. */
  lost(): readonly Range[] {
    const erased = this.holes.erased.map(([from, to]) => ({ from, to }));
    return without(this.without, erased);
  }

  private seeOrigin(seq: number, bytes: Buffer, origin: Buffer | undefined): void {
    const end = bytes.toString('latin1', Math.max(0, bytes.length - ORIGIN_BYTES));
    const said = end.startsWith(ORIGIN) ? end.slice(ORIGIN.length, -2) : undefined;
    if (said === undefined && origin === undefined) return;
    if (origin === undefined) return this.missing(seq);
    if (said === hash('sha256', origin, 'hex')) return;
    const what = said === undefined ? 'it was recorded without any' : 'they are others';
    this.tell({ class: 'origin-changed', from: seq, to: seq, what });
  }

  private missing(seq: number): void {
    const last = this.without.at(-1);
    if (last?.to === seq - 1) last.to = seq;
    else this.without.push({ from: seq, to: seq });
  }

  private tell(damage: Damage): void {
    if (this.damage.length < TOLD) this.damage.push(damage);
  }
}
