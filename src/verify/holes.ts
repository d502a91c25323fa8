import * as E from 'fp-ts/lib/Either.js';
import { type Actor, type Event, rangesIn } from '../../events/index.js';
import { unstamp } from '../ledger/stamp.js';

/*
 * What a log that nobody touched may still lack: the gateway was not running, its clock was set, it only counted what it could not record
 * one by one, somebody erased what was personal, or gone on with an older copy. It says so itself, and here it is gathered.
 */

/** Times in ms. */
export type Hole =
  /** Nobody was there to record anything. After a kill that is since the last event, at the latest. */
  | {
      readonly kind: 'not-running';
      readonly after: number;
      readonly before: number;
      readonly from: number;
      readonly to: number;
      readonly stopped: boolean;
    }
  | { readonly kind: 'clock-jumped'; readonly event: number; readonly byMs: number }
  /** So many refusals were counted and not told apart, in so many events. */
  | {
      readonly kind: 'summarised';
      readonly refusals: number;
      readonly events: number;
      readonly first: number;
      readonly last: number;
    }
  | {
      readonly kind: 'erased';
      readonly event: number;
      readonly at: number;
      readonly events: number;
      readonly by: Actor;
      readonly reason: string;
    }
  | {
      readonly kind: 'restored';
      readonly event: number;
      readonly at: number;
      readonly signedFor: number;
      readonly had: number;
      readonly reason: string;
    }
  /** Events that no checkpoint covers yet. */
  | { readonly kind: 'unsigned'; readonly from: number; readonly to: number };

/** How many of a kind are told one by one; of a log of years there may be many. */
const TOLD = 1000;

/** Looks at the events as they go by. */
export class Holes {
  private readonly found: Hole[] = [];
  /** Events whose personal data were erased, as the log says. */
  readonly erased: (readonly [from: number, to: number])[] = [];
  private readonly counts = new Map<Hole['kind'], number>();
  private summarised: (Hole & { readonly kind: 'summarised' }) | undefined;
  private running = false;
  private stopped = false;
  private last = { seq: 0, at: 0 };

  /** Of how many of a kind no more is said than that they are there. */
  get untold(): ReadonlyMap<Hole['kind'], number> {
    return new Map([...this.counts].flatMap(([kind, count]) => (count > TOLD ? [[kind, count - TOLD]] : [])));
  }

  get all(): readonly Hole[] {
    return this.summarised === undefined ? this.found : [...this.found, this.summarised];
  }

  see(seq: number, at: number, type: string, bytes: Buffer): void {
    if (TELLING.has(type)) this.read(seq, bytes);
    this.last = { seq, at };
  }

  /** An event behind the end of what is verified: what it erases may already be gone. */
  seeLater(seq: number, bytes: Buffer): void {
    const event = bytes.includes(ERASES) ? unstamp(bytes, seq, undefined) : undefined;
    if (event !== undefined && E.isRight(event) && event.right.type === 'log.erased')
      this.erased.push(...rangesIn(event.right.data.numbers));
  }

  add(hole: Hole): void {
    const count = (this.counts.get(hole.kind) ?? 0) + 1;
    this.counts.set(hole.kind, count);
    if (count <= TOLD) this.found.push(hole);
  }

  private read(seq: number, bytes: Buffer): void {
    const event = unstamp(bytes, seq, undefined);
    if (E.isRight(event)) this.tell(event.right);
  }

  private tell(event: Event): void {
    const { seq, at } = event;
    switch (event.type) {
      case 'gateway.started': {
        const { seq: after, at: from } = this.last;
        if (this.running || this.stopped)
          this.add({ kind: 'not-running', after, before: seq, from, to: at, stopped: this.stopped });
        this.running = true;
        this.stopped = false;
        return;
      }
      case 'gateway.stopped':
        this.stopped = true;
        return;
      case 'gateway.clock-jumped':
        return this.add({ kind: 'clock-jumped', event: seq, byMs: event.data.byMs });
      case 'connection.refusals-summarised': {
        const { refusals = 0, events = 0, first = seq } = this.summarised ?? {};
        this.summarised = {
          kind: 'summarised',
          refusals: refusals + event.data.total,
          events: events + 1,
          first,
          last: seq,
        };
        return;
      }
      case 'log.erased':
        this.erased.push(...rangesIn(event.data.numbers));
        return this.add({
          kind: 'erased',
          event: seq,
          at,
          events: event.data.events,
          by: event.actor,
          reason: event.data.reason,
        });
      case 'log.restored':
        return this.add({
          kind: 'restored',
          event: seq,
          at,
          signedFor: event.data.mark.size,
          had: event.data.size,
          reason: event.data.reason,
        });
    }
  }
}

const ERASES = Buffer.from('"type":"log.erased"');

const TELLING: ReadonlySet<string> = new Set<Event['type']>([
  'gateway.started',
  'gateway.stopped',
  'gateway.clock-jumped',
  'connection.refusals-summarised',
  'log.restored',
  'log.erased',
]);
