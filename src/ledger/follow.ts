import type { Event } from '../../events/index.js';
import { limits } from '../limits.js';
import type { Reader } from './reader.js';

/** Wakes those who wait for something new in the log. */
export class News {
  private readonly wakers = new Set<() => void>();

  /** Resolves when there may be something new, or when the signal says to wait no longer. */
  readonly next = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        this.wakers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.wakers.add(wake);
      signal.addEventListener('abort', wake);
    });

  wake(): void {
    for (const wake of [...this.wakers]) wake();
  }
}

/**
 * The log from a position on, for ever, in order, in chunks. History, cutover and live are one loop, because it always reads the
 * log and never a copy of it: read what is there; when nothing is, wait for news and read again. A slow consumer is behind
 * in the log and costs no memory; nothing is missed or told twice.
 */
export async function* follow(
  reader: Reader,
  after: number,
  news: News['next'],
  signal: AbortSignal,
): AsyncIterable<readonly Event[]> {
  for (let seen = after; !signal.aborted; ) {
    const chunk = [...reader.range({ after: seen, upTo: seen + limits.ledger.readChunk })];
    const last = chunk.at(-1);
    if (last === undefined) {
      await news(signal);
      continue;
    }
    seen = last.seq;
    yield chunk;
  }
}
