import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../clock.js';
import { handshake } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Counted, Tally } from '../tally.js';
import { type Visitors, visitOf } from '../visitors.js';
import type { Wire } from '../wire.js';

/* The sockets that this process holds, and what they hear. */

/** What the bench writes into an event to know it by: when it was sent. */
const MARK = 'sent-';
const MARK_DIGITS = 16;

export const markNow = (): string => `${MARK}${now().toFixed(3).padStart(MARK_DIGITS, '0')}`;

interface Heard {
  count: number;
  /** When the first and the last of them came, on the clock of all processes (ms). */
  first: number;
  last: number;
}

const held = new Set<Wire>();
const lost = new Tally();
let lastLost = 0;
let heard = new Map<string, Heard>();
let marked = new Histogram();
let bytes = 0;
let wake = (): void => {};

const EVENT = '{"type":"event","event":"';

const hear = (head: Buffer, size: number): void => {
  bytes += size;
  if (head.toString('latin1', 0, EVENT.length) !== EVENT) return;
  const name = head.toString('latin1', EVENT.length, head.indexOf('"', EVENT.length));
  const at = now();
  const before = heard.get(name);
  if (before === undefined) heard.set(name, { count: 1, first: at, last: at });
  else {
    before.count++;
    before.last = at;
  }
  const mark = head.indexOf(MARK);
  if (mark >= 0) marked.add(at - Number(head.toString('latin1', mark + MARK.length, mark + MARK.length + MARK_DIGITS)));
  wake();
};

const keep = (wire: Wire): void => {
  held.add(wire);
  wire.listener = {
    text: hear,
    closed: (how) => {
      if (!held.delete(wire)) return;
      lost.add(how);
      lastLost = now();
      wake();
    },
  };
};

/** Until it is so, looked at whenever something happened. */
const until = (so: () => boolean, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer);
      wake = () => {};
      resolve(answer);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    wake = () => {
      if (so()) end(true);
    };
    wake();
  });

/** Opens sockets and holds them. Whoever is turned away pauses for a time of chance, and tries again until all are in or it is too late. */
export const open = async ({
  visitors,
  count,
  atOnce,
  pauseMs = 100,
  timeoutMs = 300_000,
}: {
  readonly visitors: Visitors;
  readonly count: number;
  readonly atOnce: number;
  /** Also how long they take to begin. */
  readonly pauseMs?: number;
  readonly timeoutMs?: number;
}): Promise<Opened> => {
  const times = new Histogram();
  const failed = new Tally();
  const begun = now();
  let at = begun;
  let next = 0;
  const worker = async (): Promise<void> => {
    await sleep(Math.random() * pauseMs);
    while (next < count && at - begun < timeoutMs) {
      const n = next++;
      const wanted = performance.now();
      for (;;) {
        const outcome = await handshake(visitOf(visitors, n), wanted);
        at = now();
        if (outcome.in) {
          keep(outcome.wire);
          times.add(outcome.ms);
          break;
        }
        failed.add(outcome.why);
        if (at - begun > timeoutMs) return;
        await sleep(Math.random() * pauseMs);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
  return { opened: times.total, failed: failed.toRecord(), times: times.toCounts(), at };
};

export interface Opened {
  readonly opened: number;
  /** Attempts that had to be made again, by what became of them. */
  readonly failed: Counted;
  /** Each from its first attempt. */
  readonly times: Counts;
  /** When the last was in. */
  readonly at: number;
}

export interface Seen {
  readonly open: number;
  readonly lost: Counted;
  readonly lastLost: number;
  readonly heard: Readonly<Record<string, Heard>>;
  readonly marked: Counts;
  readonly bytes: number;
}

/** What there is, and what was heard since the last look. */
export const look = async (_: object): Promise<Seen> => {
  const seen = {
    open: held.size,
    lost: lost.toRecord(),
    lastLost,
    heard: Object.fromEntries(heard),
    marked: marked.toCounts(),
    bytes,
  };
  heard = new Map();
  marked = new Histogram();
  bytes = 0;
  return seen;
};

/** Until so many of an event have come since the last look. When the last came (ms), and how many. */
export const heardAll = async ({
  event,
  count,
  timeoutMs,
}: {
  readonly event: string;
  readonly count: number;
  readonly timeoutMs: number;
}): Promise<{ readonly at: number; readonly count: number }> => {
  await until(() => (heard.get(event)?.count ?? 0) >= count, timeoutMs);
  const { last = 0, count: came = 0 } = heard.get(event) ?? {};
  return { at: last, count: came };
};

/** Until no more than so many are open. When the last was closed. */
export const leftOver = async ({
  count,
  timeoutMs,
}: {
  readonly count: number;
  readonly timeoutMs: number;
}): Promise<{ readonly open: number; readonly at: number }> => {
  await until(() => held.size <= count, timeoutMs);
  return { open: held.size, at: lastLost };
};

export const letGo = async (_: object): Promise<void> => {
  for (const wire of held) {
    held.delete(wire);
    wire.drop();
  }
};
