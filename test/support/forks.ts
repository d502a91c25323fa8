import childProcess, { type ChildProcess } from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import type { Test } from 'tap';

/* The workers of a gateway in this process, as the test wants them. */

type Fork = (program: string, args: readonly string[], options: object) => ChildProcess;

/** From now on, and until the test is over, a worker is forked by `forking`, which is given the real thing. */
export const forkedBy = (t: Test, forking: (real: () => ChildProcess) => ChildProcess): void => {
  const { fork } = childProcess;
  const real = fork as Fork;
  const set = (to: typeof fork): void => {
    childProcess.fork = to;
    syncBuiltinESMExports();
  };
  const instead: Fork = (...asked) => forking(() => real(...asked));
  set(instead as typeof fork);
  t.teardown(() => set(fork));
};

type Message = { readonly is: string };
type Send = (batch: readonly Message[], ...rest: readonly unknown[]) => boolean;

/** A worker that is not told messages of this kind. */
export const deafTo = (is: string, child: ChildProcess): ChildProcess => {
  const send = child.send.bind(child) as unknown as Send;
  const without: Send = (batch, ...rest) =>
    send(
      batch.filter((message) => message.is !== is),
      ...rest,
    );
  child.send = without as unknown as ChildProcess['send'];
  return child;
};
