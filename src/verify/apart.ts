import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Kept, Report } from './verify.js';

/** What to verify, and against what. */
export interface Task {
  readonly place: string;
  /** The text of a policy. */
  readonly policy: string | undefined;
  readonly older: readonly Kept[];
  readonly views: boolean;
}

export type Replied = { readonly report: Report } | { readonly refused: string } | { readonly unreadable: string };

const PROGRAM = fileURLToPath(new URL('./verify-process.js', import.meta.url));

/**
 * Verifies in a process of its own: LMDB has no checksums of its pages, and a damaged one may end the process that reads it. That is a
 * finding too.
 */
export const verifyApart = (task: Task): Promise<Replied> =>
  new Promise((resolve) => {
    const child = fork(PROGRAM, [], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    let replied: Replied | undefined;
    child.on('message', (message: Replied) => {
      replied = message;
    });
    child.on('exit', (code, signal) =>
      resolve(replied ?? { unreadable: `reading it ended the process (${signal ?? `exit ${code}`})` }),
    );
    child.send(task);
  });
