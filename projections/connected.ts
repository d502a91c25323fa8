import type { Method, Role } from '../events/index.js';
import { clear, drop, type Projection, put, unchanged } from './projection.js';

/** A session that is open now. */
export interface Connected {
  readonly seq: number;
  readonly at: number;
  readonly device?: string | undefined;
  readonly role: Role;
  readonly method: Method;
  readonly credential?: string | undefined;
}

/** Key of a connection: those of one boot, and within it of one worker, lie side by side. */
export const connectedKey = (c: {
  readonly boot: string;
  readonly worker: number;
  readonly connection: string;
}): string => `${workerPrefix(c)}${c.connection}`;

const workerPrefix = ({ boot, worker }: { readonly boot: string; readonly worker: number }): string =>
  `${boot}/${worker}/`;

/** Open sessions. A new boot ends all of the one before it with one event, and so does the loss of a worker those that it had. */
export const connected: Projection<Connected> = {
  name: 'connected',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'gateway.started':
        return [clear];
      case 'gateway.worker-lost':
        return [...rows.entries(workerPrefix(event.data))].map(([key]) => drop(key));
      case 'connection.accepted': {
        const { device, role, method, credential } = event.data;
        return [put(connectedKey(event.data), { seq: event.seq, at: event.at, device, role, method, credential })];
      }
      case 'connection.closed':
        return [drop(connectedKey(event.data))];
      default:
        return unchanged;
    }
  },
};
