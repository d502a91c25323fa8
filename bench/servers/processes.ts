import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/* What the kernel tells of a process and of its children, together: a server may be several. */

const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4096;

const statOf = (pid: number | string): readonly string[] | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ');
  } catch {
    return undefined;
  }
};

/** A process, its children, and theirs. */
export const treeOf = (root: number): readonly number[] => {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => [Number(pid), Number(statOf(pid)?.[1])] as const);
  const tree = [root];
  for (const pid of tree) tree.push(...parents.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
};

/** CPU time it has used, in s, with that of its children that have ended. */
export const cpuOf = (pid: number): number => {
  const used = statOf(pid)?.slice(11, 15) ?? [];
  return used.reduce((sum, ticks) => sum + Number(ticks), 0) / TICKS_PER_SECOND;
};

export const memoryOf = (pid: number): { readonly rss: number; readonly anonymous: number } => {
  const status = contentOf(`/proc/${pid}/status`);
  const bytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024;
  return { rss: bytes('VmRSS'), anonymous: bytes('RssAnon') };
};

/** Descriptors that it has open. */
export const descriptorsOf = (pid: number): number => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
};

/** What the kernel holds for all TCP sockets of this machine: both ends of each, when they talk to one another. */
export const tcpBytes = (): number =>
  Number(/TCP:.* mem (\d+)/.exec(readFileSync('/proc/net/sockstat', 'utf8'))?.[1] ?? 0) * PAGE_BYTES;

/** CPU time that all processes of this machine have used, in s, of each core as one. */
export const machineCpu = (): number => {
  const [user = 0, nice = 0, system = 0, , , interrupts = 0, soft = 0] = (
    /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? ''
  )
    .split(' ')
    .map(Number);
  return (user + nice + system + interrupts + soft) / TICKS_PER_SECOND / availableParallelism();
};

const contentOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};
