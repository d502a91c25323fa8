import { handshake } from '../handshake.js';
import { type Visitors, visitOf } from '../visitors.js';
import type { Wire } from '../wire.js';

const stalled: Wire[] = [];

/** They ask a lot, and read nothing of the answers. How many there are. */
export const stall = async ({
  visitors,
  count,
  method,
  times,
}: {
  readonly visitors: Visitors;
  readonly count: number;
  readonly method: string;
  readonly times: number;
}): Promise<number> => {
  for (let n = 0; n < count; n++) {
    const outcome = await handshake(visitOf(visitors, n));
    if (!outcome.in) continue;
    outcome.wire.socket.pause();
    outcome.wire.sendAll(
      Array.from({ length: times }, (_, id) => `{"type":"req","id":"${id}","method":"${method}","params":{}}`),
    );
    stalled.push(outcome.wire);
  }
  return stalled.length;
};

export const endStalled = async (_: object): Promise<void> => {
  for (const wire of stalled.splice(0)) wire.drop();
};
