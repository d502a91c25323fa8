import type { HttpResponse } from 'uWebSockets.js';
import { limits } from '../limits.js';
import type { HttpAnswer, Source } from './transport.js';

/*
 * Bodies on their way to whoever asked over plain HTTP. The library would copy what a slow reader does not take; here the bytes stay ours, are
 * handed over as there is room, and are counted: all of them together are bounded, and each has its time.
 */

/** Of a body that is read bit by bit, what is in memory at once. */
const CHUNK_BYTES = 256 * 1024;

export const isSource = (body: HttpAnswer['body']): body is Source => typeof body === 'object' && 'read' in body;

export class Outgoing {
  private bytes = 0;

  /** Is there room for so many bytes more? */
  hasRoom(length: number): boolean {
    return this.bytes + length <= limits.tiles.waitingBytes;
  }

  /** Ends a response, whose status and headers were written, with this body. Inside `cork`. */
  send(res: HttpResponse, body: Buffer): void {
    const [, sent] = res.tryEnd(body, body.length);
    if (sent) return;
    this.bytes += body.length;
    const late = setTimeout(() => res.close(), limits.tiles.sendMs).unref();
    const done = (): void => {
      this.bytes -= body.length;
      clearTimeout(late);
    };
    res.onAborted(done).onWritable((offset) => {
      const [ok, all] = res.tryEnd(body.subarray(offset), body.length);
      if (all) done();
      return ok;
    });
  }

  /**
   * The same with a body that is read as it is taken; how many of those there are is for whoever hands them over to bound. One that breaks off is cut
   * off: its length was promised.
   */
  stream(res: HttpResponse, source: Source): void {
    let late = setTimeout(() => res.close(), limits.tiles.sendMs).unref();
    let over = false;
    const done = (): void => {
      if (over) return;
      over = true;
      clearTimeout(late);
      source.close();
    };
    const go = async (at: number): Promise<void> => {
      const chunk = await source.read(at, CHUNK_BYTES).catch(() => Buffer.alloc(0));
      if (over) return;
      if (chunk.length === 0 && source.bytes > 0) return void res.close();
      clearTimeout(late);
      late = setTimeout(() => res.close(), limits.tiles.sendMs).unref();
      const offer = (rest: Buffer): boolean => {
        const [ok, all] = res.tryEnd(rest, source.bytes);
        if (all) done();
        else if (ok) void go(at + chunk.length);
        return ok;
      };
      res.onWritable((offset) => offer(chunk.subarray(offset - at)));
      res.cork(() => offer(chunk));
    };
    res.onAborted(done);
    void go(0);
  }
}
