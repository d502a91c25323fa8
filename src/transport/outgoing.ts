import type { HttpResponse } from 'uWebSockets.js';
import { limits } from '../limits.js';

/*
 * Bodies on their way to whoever asked over plain HTTP. The library would copy what a slow reader does not take; here the bytes stay ours, are
 * handed over as there is room, and are counted: all of them together are bounded, and each has its time.
 */

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
}
