import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { descriptorLimits } from '../servers/descriptors.js';

/* Where it was measured, and what. */

export interface Machine {
  readonly cpu: string;
  readonly memory: string;
  readonly kernel: string;
  readonly node: string;
  readonly descriptors: string;
  readonly commit: string;
  /** Of others, when it began. */
  readonly load: string;
}

const git = (...args: readonly string[]): string => {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

/** `0374f75`, or `0374f75+changes`; a copy without its history has none. */
const commit = (): string => {
  const short = git('rev-parse', '--short', 'HEAD');
  if (short === '') return 'unknown commit';
  return git('status', '--porcelain') === '' ? short : `${short}+changes`;
};

export const machineHere = (): Machine => ({
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
  memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
  kernel: `Linux ${release()}`,
  node: `Node ${process.versions.node}`,
  descriptors: `${descriptorLimits().hard.toLocaleString('en')} descriptors`,
  commit: commit(),
  load: `load ${loadavg()[0]?.toFixed(1)} before`,
});
