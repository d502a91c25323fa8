import { limits } from '../../limits.js';
import { systemClock as clock } from '../../runtime.js';
import { PortTaken } from '../../transport/transport.js';
import { Link } from './link.js';
import type { Begin, FromWorker, ToWorker } from './messages.js';
import { Worker } from './worker.js';

/* A worker, as its parent starts it. It lives as long as its parent does and ends when it is told to, or when it is alone. */

process.umask(0o077);

/* If its parent is gone it is told so, and has people to say goodbye to: what could not be sent is no reason to end before that. */
const link = new Link<FromWorker>(
  (batch, taken) => !process.connected || process.send?.(batch, undefined, undefined, taken) !== false,
);

let worker: Worker | undefined;
/** What was said before it could listen. */
const early: Exclude<ToWorker, Begin>[] = [];

const begin = async (message: Begin): Promise<void> => {
  try {
    worker = await Worker.begin(message, link);
    for (const later of early.splice(0)) worker.hear(later);
  } catch (error) {
    const taken = error instanceof PortTaken ? { host: error.host, port: error.port } : undefined;
    link.say({ is: 'failed', why: (error as Error).message, taken });
  }
};

process.on('message', (batch: readonly ToWorker[]) => {
  for (const message of batch) {
    if (message.is === 'begin') void begin(message);
    else if (worker === undefined) early.push(message);
    else worker.hear(message);
  }
});
process.on('disconnect', () => {
  if (worker === undefined) process.exit();
  worker.stop();
  /* A socket that is gone with something unread takes the goodbye along that is on its way. */
  clock.after(limits.workers.leaveMs, () => process.exit());
});
/* They go to all processes of a terminal or of a service; the parent says when it is over. */
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
