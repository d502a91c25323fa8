import type { Role } from '../events/index.js';
import { drop, type Projection, put, unchanged } from './projection.js';

/** A replaced token that still works. */
export interface Grace {
  readonly device: string;
  readonly role: Role;
  readonly until: number;
}

/** Replaced tokens in their grace, so that their end can be found without looking at every device. */
export const graces: Projection<Grace> = {
  name: 'graces',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'token.issued':
      case 'token.rotated': {
        const { device, role, graceUntil } = event.data;
        return graceUntil === undefined ? unchanged : [put(key(device, role), { device, role, until: graceUntil })];
      }
      case 'token.retired':
        return event.data.reason === 'replaced-again' ? unchanged : [drop(key(event.data.device, event.data.role))];
      case 'device.removed':
        return [...rows.entries(`${event.data.device}/`)].map(([k]) => drop(k));
      default:
        return unchanged;
    }
  },
};

const key = (device: string, role: string): string => `${device}/${role}`;
