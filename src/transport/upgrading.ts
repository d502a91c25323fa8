import type { HttpResponse, WebSocket } from 'uWebSockets.js';

/**
 * How a response becomes a WebSocket. A cork of its own makes one packet of two dozen writes. After it the older release takes the WebSocket for
 * the response that it was, and looks in memory that this gave back whether to close it: what the engine has put there since then
 * decides. Where another socket holds the cork, the writes go out one by one and it does not look; in the first event of the
 * response it is corked anyway. It asks for a cork all the same, or complains on stderr.
 */
export class Upgrading<Data> {
  private readonly open = new Set<WebSocket<Data>>();

  do(res: HttpResponse, upgrade: () => void): void {
    const [other] = this.open;
    if (isNewer(res)) res.cork(upgrade);
    else if (other !== undefined) other.cork(() => res.cork(upgrade));
    else upgrade();
  }

  opened(ws: WebSocket<Data>): void {
    if (!isNewer(ws)) this.open.add(ws);
  }

  closed(ws: WebSocket<Data>): void {
    this.open.delete(ws);
  }
}

/** Which of the two it is, no version says: each finds the compiled code of the other where npm hoisted that. */
const isNewer = (socket: object): boolean => 'getRemotePort' in socket;
