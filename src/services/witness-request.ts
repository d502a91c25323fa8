import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/**
 * One request to a witness, which is whatever is at the other end of a URL: it has its time and its bytes, and leads nowhere else. Rejects
 * where there is no answer, in words for people.
 */
export const post = async (url: string, body: string, clock: Clock, stopped: AbortSignal): Promise<Answer> => {
  const ended = new AbortController();
  const stop = (): void => ended.abort(new Error('the gateway stops'));
  const late = clock.after(limits.witnesses.timeoutMs, () =>
    ended.abort(new Error(`no answer in ${limits.witnesses.timeoutMs / 1000} seconds`)),
  );
  stopped.addEventListener('abort', stop);
  try {
    const answer = await fetch(url, { method: 'POST', body, redirect: 'manual', signal: ended.signal });
    return { status: answer.status, body: await bounded(answer.body) };
  } catch (error) {
    /* What fetch throws says only that it failed; the cause says why. */
    const { message, cause } = error as Error & { readonly cause?: NodeJS.ErrnoException };
    throw new Error(cause?.message || cause?.code || message);
  } finally {
    late();
    stopped.removeEventListener('abort', stop);
    ended.abort();
  }
};

const bounded = async (body: Response['body']): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > limits.witnesses.answerBytes)
      throw new Error(`an answer of more than ${limits.witnesses.answerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};
