import type { Person } from '../forensics/people.js';
import { gone, short } from '../forensics/words.js';

/* Lengths of time, devices and people in the answers of commands. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long, in the two largest units. */
export const span = (ms: number): string => {
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  return ms < DAY
    ? `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`
    : `${Math.floor(ms / DAY)} d ${Math.floor((ms % DAY) / HOUR)} h`;
};

/** A device by its name, and by as much of its id as tells it apart. */
export const device = (id: string | undefined, name: string | undefined): string =>
  id === undefined ? 'no device' : name === undefined ? `device ${short(id)}` : `"${name}" (${short(id)})`;

const osUser = ({ osUser: user, erased }: Person): string => {
  if (user !== undefined) return `, OS user ${user}`;
  return erased === undefined ? '' : `, OS user ${gone(erased)}`;
};

export const person = (who: Person): string => {
  switch (who.kind) {
    case 'gateway':
      return `the gateway itself, by rule ${who.rule}`;
    case 'host':
      return `the owner of the host${osUser(who)}, with the gateway down`;
    case 'connection':
      return [
        who.device === undefined
          ? who.method === 'host-proof'
            ? 'the owner of the host'
            : 'a client without a device'
          : device(who.device, who.name),
        who.osUser === undefined ? '' : `OS user ${who.osUser}`,
        who.erased === undefined ? '' : gone(who.erased),
        who.address === undefined ? '' : `from ${who.address}`,
        `proved by ${who.method ?? 'nothing'}${who.credential === undefined ? '' : ` ${who.credential}`}`,
        `connection ${who.connection}`,
      ]
        .filter((part) => part !== '')
        .join(', ');
  }
};
