import { freemem } from 'node:os';
import { Unable } from './arguments.js';
import type { Needs } from './scenarios/scenario.js';
import { type DescriptorLimits, descriptorLimits } from './servers/descriptors.js';

/* Is there room for it here? Looked at before anything starts. */

export interface Room {
  readonly descriptors: DescriptorLimits;
  readonly memoryMiB: number;
}

/** A process has these open beside its sockets, at most. */
const OWN_DESCRIPTORS = 200;

export const roomHere = (): Room => ({ descriptors: descriptorLimits(), memoryMiB: freemem() / 2 ** 20 });

export const checkRoom = (
  name: string,
  { sockets, memoryMiB }: Needs,
  { processes, workers }: { readonly processes: number; readonly workers: number },
  room: Room,
): void => {
  const { soft, hard } = room.descriptors;
  for (const [who, among] of [
    ['a client process', processes],
    ['the server', workers],
  ] as const) {
    const wanted = Math.ceil(sockets / among) + OWN_DESCRIPTORS;
    if (wanted > hard)
      throw new Unable(
        `${name} needs ${count(wanted)} descriptors in ${who}, and this shell allows ${count(hard)} (ulimit -Hn; soft ${count(soft)}): ` +
          (who === 'the server'
            ? `raise the hard limit (LimitNOFILE, limits.conf), or say --connections ${hard - OWN_DESCRIPTORS}`
            : `say --processes ${Math.ceil(sockets / (hard - OWN_DESCRIPTORS))}`),
      );
  }
  if (memoryMiB > room.memoryMiB)
    throw new Unable(
      `${name} needs ${count(memoryMiB)} MiB of memory, and ${count(room.memoryMiB)} MiB are free: end something, or take fewer with --connections`,
    );
};

const count = (value: number): string => Math.floor(value).toLocaleString('en');
