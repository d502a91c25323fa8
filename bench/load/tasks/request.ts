import { now } from '../clock.js';
import { handshake } from '../handshake.js';
import { type Counts, Histogram } from '../histogram.js';
import { type Counted, Tally } from '../tally.js';
import { type Visitors, visitOf } from '../visitors.js';
import type { Wire } from '../wire.js';

/* Requests on connections that stay. */

/** One that must be let in. */
export const admitted = async (visitors: Visitors, n = 0): Promise<Wire> => {
  const outcome = await handshake(visitOf(visitors, n));
  if (!outcome.in) throw new Error(`not let in: ${outcome.why}`);
  return outcome.wire;
};

const RESPONSE = /^\{"type":"res","id":"(\d+)","ok":(true|false)/;

/** Asks and hears the answer; many may be on their way. */
export class Caller {
  private next = 0;
  private readonly waiting = new Map<string, (answer: Answer) => void>();

  constructor(private readonly wire: Wire) {
    wire.listener = {
      text: (head, bytes) => {
        const [, id = '', ok] = RESPONSE.exec(head.toString('latin1', 0, 80)) ?? [];
        this.end(id, ok === 'true' ? { ok: true, bytes } : { ok: false, bytes, why: head.toString('utf8', 0, 200) });
      },
      closed: (how) => {
        for (const id of [...this.waiting.keys()]) this.end(id, { ok: false, bytes: 0, why: `closed ${how}` });
      },
    };
  }

  call(method: string, params = '{}'): Promise<Answer> {
    const id = String(this.next++);
    this.wire.send(`{"type":"req","id":"${id}","method":"${method}","params":${params}}`);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  leave(): void {
    this.wire.drop();
  }

  private end(id: string, answer: Answer): void {
    const told = this.waiting.get(id);
    this.waiting.delete(id);
    told?.(answer);
  }
}

export interface Answer {
  readonly ok: boolean;
  readonly bytes: number;
  readonly why?: string;
}

/** So many requests in flight on each of so many connections, for so long. */
export const request = async ({
  visitors,
  connections,
  inFlight,
  seconds,
  method,
  params,
}: {
  readonly visitors: Visitors;
  readonly connections: number;
  readonly inFlight: number;
  readonly seconds: number;
  readonly method: string;
  readonly params?: string;
}): Promise<{ readonly times: Counts; readonly failed: Counted; readonly bytes: number }> => {
  const times = new Histogram();
  const failed = new Tally();
  let bytes = 0;
  const callers: Caller[] = [];
  for (let n = 0; n < connections; n++) callers.push(new Caller(await admitted(visitors, n)));
  const end = now() + seconds * 1000;
  const worker = async (caller: Caller): Promise<void> => {
    while (now() < end) {
      const begun = performance.now();
      const answer = await caller.call(method, params);
      if (answer.ok) times.add(performance.now() - begun);
      else failed.add(answer.why ?? '');
      if (answer.why?.startsWith('closed')) return;
      bytes = Math.max(bytes, answer.bytes);
    }
  };
  await Promise.all(callers.flatMap((caller) => Array.from({ length: inFlight }, () => worker(caller))));
  for (const caller of callers) caller.leave();
  return { times: times.toCounts(), failed: failed.toRecord(), bytes };
};

/** One call. When it was sent, on the clock of all processes, and how long its answer took (ms). */
export const call = async ({
  visitors,
  method,
  params,
}: {
  readonly visitors: Visitors;
  readonly method: string;
  readonly params: string;
}): Promise<{ readonly at: number; readonly ms: number; readonly why?: string | undefined }> => {
  const caller = new Caller(await admitted(visitors));
  const at = now();
  const { ok, why } = await caller.call(method, params);
  caller.leave();
  return { at, ms: now() - at, why: ok ? undefined : why };
};
