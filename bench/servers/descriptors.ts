import { readFileSync } from 'node:fs';

/* Descriptors: each socket is one, here and in the server. */

export interface DescriptorLimits {
  readonly soft: number;
  readonly hard: number;
}

const UNLIMITED = Number.MAX_SAFE_INTEGER;

/** `ulimit -n` of this process, which its children inherit. */
export const descriptorLimits = (): DescriptorLimits => {
  const [, soft = '', hard = ''] =
    /Max open files\s+(\w+)\s+(\w+)/.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return { soft: countOf(soft), hard: countOf(hard) };
};

const countOf = (text: string): number => (text === 'unlimited' ? UNLIMITED : Number(text));

/** A command with as many descriptors as it can have: the soft limit is raised to the hard one. */
export const withDescriptors = (command: readonly string[]): [string, ...string[]] => [
  '/bin/sh',
  '-c',
  'ulimit -n "$(ulimit -Hn)"; exec "$@"',
  'sh',
  ...command,
];
