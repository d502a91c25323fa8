import type { WebSocket } from 'uWebSockets.js';
import { limits } from '../limits.js';
import type { Socket } from './transport.js';

/**
 * A uWebSockets.js socket throws when it is used after its close. Its own limit is a little higher than ours, so that the close
 * that says why still fits.
 */
export class UwsSocket<Data> implements Socket {
  constructor(private ws: WebSocket<Data> | undefined) {}

  get buffered(): number {
    return this.ws?.getBufferedAmount() ?? 0;
  }

  send(frame: string): boolean {
    if (this.ws === undefined || this.ws.getBufferedAmount() > limits.wire.maxBufferedBytes) return false;
    this.ws.send(frame);
    return true;
  }

  join(topic: string): void {
    this.ws?.subscribe(topic);
  }

  end(code: number, reason: string): void {
    const { ws } = this;
    this.ws = undefined;
    ws?.end(code, reason);
  }

  cut(): void {
    const { ws } = this;
    this.ws = undefined;
    ws?.close();
  }

  gone(): void {
    this.ws = undefined;
  }
}
