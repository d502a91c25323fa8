import { readFileSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { attempt } from '../attempt.js';
import { limits } from '../limits.js';

/* What this machine lets the gateway have, looked at when it starts: better a line then than a refusal at night. */

/** Infinity: no limit, or none that can be found out here. */
export interface Machine {
  /** Descriptors of one process. */
  readonly openFiles: number;
  /** Bytes that one process may map. */
  readonly addressSpace: number;
  /** Bytes that all processes of the gateway may have together. */
  readonly memory: number;
}

export interface Need {
  /** Processes beside the one that writes the log. */
  readonly workers: number;
  readonly pairedDevices: number;
  /** Bytes of the log's file, which is mapped as a whole, and mapped anew when it grows. */
  readonly logBytes: number;
}

export const machineHere = (): Machine => {
  const text = attempt(() => readFileSync('/proc/self/limits', 'utf8')) ?? '';
  return {
    openFiles: limitIn(text, 'Max open files'),
    addressSpace: limitIn(text, 'Max address space'),
    /* Of a service or a container, where it has one; without one Node says more than there is. */
    memory: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY),
  };
};

/** The soft limit: Node has raised it as far as it may. */
const limitIn = (text: string, name: string): number => {
  const soft = new RegExp(`^${name} +(\\d+)`, 'm').exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
};

export const fileBytes = (path: string): number => attempt(() => statSync(path).size) ?? 0;

/** What is too low, and what to raise it to; nothing where all of it will do. */
export const tooLow = ({ openFiles, addressSpace, memory }: Machine, need: Need): readonly string[] => {
  const { reservedFiles, connections, mappedBytes, processBytes } = limits.ceilings;
  const { workers, pairedDevices, logBytes } = need;
  const found: string[] = [];

  const takers = Math.max(1, workers);
  const wanted = Math.max(connections, 2 * pairedDevices);
  const room = Math.max(0, openFiles - reservedFiles) * takers;
  if (room < wanted) {
    const files = Math.ceil(wanted / takers) + reservedFiles;
    found.push(
      `open files: ${openFiles} for a process leave room for ${room} connections${pairedDevices > connections / 2 ? `, and ${pairedDevices} devices are paired` : ''}: raise them to ${files} (ulimit -n ${files}, or LimitNOFILE=${files} in a systemd unit), or take connections in more processes (--workers)`,
    );
  }
  const mapped = mappedBytes + 4 * logBytes;
  if (addressSpace < mapped)
    found.push(
      `address space: ${mebibytes(addressSpace)} for a process, of which the map of the log may need ${mebibytes(mapped)}: raise it (ulimit -v unlimited, or no LimitAS in a systemd unit)`,
    );
  const least = processBytes * (workers + 1);
  if (memory < least)
    found.push(
      `memory: ${mebibytes(memory)} for ${workers === 0 ? 'the gateway' : `the gateway with ${workers} workers`}, which may need ${mebibytes(least)}: raise the limit (MemoryMax=${Math.ceil(least / MiB)}M in a systemd unit)${workers > 0 ? ', or run fewer workers' : ''}`,
    );
  return found;
};

const MiB = 1024 * 1024;
const mebibytes = (bytes: number): string => `${Math.round(bytes / MiB).toLocaleString('en')} MiB`;
