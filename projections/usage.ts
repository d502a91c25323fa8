import type { Role } from '../events/index.js';
import { drop, type Projection, put, unchanged } from './projection.js';

/** When a paired device was last here, and when each of its tokens last opened the door (ms). */
export interface Usage {
  readonly seenAt: number;
  readonly tokens: { readonly [R in Role]?: number };
}

export const usage: Projection<Usage> = {
  name: 'usage',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'connection.accepted': {
        const { device, role, method } = event.data;
        if (device === undefined) return unchanged;
        const tokens = rows.get(device)?.tokens ?? {};
        return [
          put(device, {
            seenAt: event.at,
            tokens: method === 'device-token' ? { ...tokens, [role]: event.at } : tokens,
          }),
        ];
      }
      case 'device.removed':
        return [drop(event.data.device)];
      default:
        return unchanged;
    }
  },
};
