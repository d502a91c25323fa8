import { type Command, InvalidArgumentError } from 'commander';
import type { ReachOptions } from '../reach.js';

const TIMEOUT_MS = 10_000;

/** A whole number. */
export const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('It must be a whole number.');
  return value;
};

export interface Common {
  readonly url?: string;
  readonly token?: string;
  readonly password?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

/** Where to connect, and how to answer. */
export const connecting = (command: Command, timeoutMs = TIMEOUT_MS): Command =>
  command
    .option('--url <url>', 'WebSocket address of a gateway elsewhere')
    .option('--token <token>', 'gateway token (an environment variable keeps it out of the process list)')
    .option('--password <password>', 'gateway password')
    .option('--timeout <ms>', 'limit for connecting and for each call', number, timeoutMs)
    .option('--json', 'print JSON');

export const reaching = ({ url, token, password, timeout }: Common): ReachOptions => ({
  url,
  token,
  password,
  timeoutMs: timeout,
});
