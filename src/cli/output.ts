import { catalogue, exit, type RefusalCode, remedyOf } from '../errors.js';
import { isDamage } from '../ledger/damage.js';
import { still } from '../text.js';
import { CallRefused, ConnectRefused, Unreachable } from './client.js';

/* Data goes to stdout, words to stderr; a mistake is answered with what was wrong and what would be right. */

export const say = (line = ''): void => void process.stdout.write(`${still(line)}\n`);
export const tell = (line: string): void => void process.stderr.write(`${still(line)}\n`);

/** Whoever read our words is gone (a pager, a terminal). A command has nothing left to do; a gateway has its log file, and goes on. */
export const whenNobodyReads = (then: 'leave' | 'go on'): void => {
  for (const stream of [process.stdout, process.stderr])
    stream.removeAllListeners('error').on('error', () => {
      if (then === 'leave') process.exit();
    });
};

export const json = (value: unknown): void => say(JSON.stringify(value, null, 2));

/** Cells in a box: for people. */
export const table = async (head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> => {
  const { getBorderCharacters, table: draw } = await import('table');
  const cells = [head, ...rows].map((row) => row.map(still));
  const drawn = draw(cells, {
    border: getBorderCharacters('norc'),
    drawHorizontalLine: (line, count) => line <= 1 || line === count,
  });
  process.stdout.write(drawn);
};

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const age = (ms: number): string => {
  if (ms < MINUTE) return 'just now';
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m ago`;
  return ms < DAY ? `${Math.floor(ms / HOUR)}h ago` : `${Math.floor(ms / DAY)}d ago`;
};

/** Leaves the process when the words are out. */
export class Exit extends Error {
  override readonly name = 'Exit';
  constructor(
    readonly code: number,
    readonly words: readonly string[] = [],
  ) {
    super(words.join('\n'));
  }
}

/** What went wrong, for a person, and the exit code of it. */
export const explained = (error: unknown): Exit => {
  if (error instanceof Exit) return error;
  if (error instanceof CallRefused) return refusedCall(error);
  if (error instanceof ConnectRefused) return refusedConnect(error);
  if (error instanceof Unreachable) return new Exit(exit.refused, [`Gateway not reachable: ${error.message}`]);
  const { name, message } = error as Error;
  if (isDamage(error))
    return new Exit(exit.damaged, [
      message,
      'Nothing was written. Restore a backup of the ledger folder, or read what is good: openclaw events list',
    ]);
  switch (name) {
    case 'UsageError':
      return new Exit(exit.usage, [message]);
    case 'MarkUnusable':
      return new Exit(exit.config, [message, remedyOf('mark-unusable')]);
    case 'ConfigError':
    case 'KeysUnusable':
    case 'NotPrivate':
      return new Exit(exit.config, [message]);
    case 'LogForked':
      return new Exit(exit.damaged, [
        message,
        'Nothing was decided on it. Put the newer copy of the ledger folder back; or, if this one is to be gone on with, put that on the record: openclaw audit accept-fork --reason "…"',
      ]);
    case 'LedgerLocked':
    case 'PortTaken':
    case 'NoTransport':
      return new Exit(exit.refused, [message]);
    default:
      return new Exit(exit.refused, [(error as Error).stack ?? String(error)]);
  }
};

const isRefusalCode = (code: string): code is RefusalCode => Object.hasOwn(catalogue, code);

const refusedCall = ({ error }: CallRefused): Exit => {
  /* The longest that fits: `unknown requestId: superseded` is more than `unknown requestId`. */
  const byMessage = Object.entries(catalogue)
    .filter(([, entry]) => error.message.startsWith(entry.message))
    .sort(([, a], [, b]) => b.message.length - a.message.length)[0]?.[0];
  const named = error.details?.['refusal'];
  const code = typeof named === 'string' ? named : isRefusalCode(error.code) ? error.code : byMessage;
  const words = [error.message, ...(code !== undefined && isRefusalCode(code) ? [remedyOf(code)] : [])];
  return new Exit(code === 'log-not-writable' ? exit.notWritable : exit.refused, words);
};

const refusedConnect = ({ error, message, code, reason }: ConnectRefused): Exit => {
  const details = error?.details;
  const words = [`gateway connect failed: ${message}`, `gateway closed (${code}): ${reason || 'no reason'}`];
  if (details?.code === 'PAIRING_REQUIRED') {
    const id = details.requestId;
    words.push(
      id === undefined
        ? 'Ask an operator to look at openclaw devices list'
        : `On the gateway's host, after checking who this is: openclaw devices approve ${id}`,
    );
  }
  if (error?.message === catalogue['log-not-writable'].message) {
    words.push(remedyOf('log-not-writable'));
    return new Exit(exit.notWritable, words);
  }
  return new Exit(exit.refused, words);
};
