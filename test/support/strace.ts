import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/* What the kernel was asked for, in order, and what it answered; and a kernel that answers with a fault. */

/** Why strace cannot be used here; false if it can. For `skip`. */
export const straceMissing: string | false =
  spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? false : 'needs strace, and the right to trace';

export interface Trace {
  /** Lets the process go and waits until everything is in the file. */
  detach(): Promise<void>;
}

/** Attaches to all threads of a process. */
export const strace = (pid: number, args: readonly string[]): Promise<Trace> =>
  new Promise((resolve, reject) => {
    const tracer = spawn('strace', ['-f', '-p', String(pid), ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise<void>((done) => tracer.on('close', () => done()));
    let said = '';
    tracer.stderr.on('data', (data) => {
      said += data;
      if (!said.includes('attached')) return;
      resolve({
        detach: () => {
          tracer.kill('SIGINT');
          return ended;
        },
      });
    });
    tracer.on('close', () => reject(new Error(said)));
  });

const O_DSYNC = 0o10000;

/** File descriptors of a process on a file: those through which a write is on the disk when it returns, and the others. */
export const descriptorsOf = (
  pid: number,
  file: string,
): { readonly synced: readonly string[]; readonly plain: readonly string[] } => {
  const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === file);
  const isSynced = (fd: string): boolean => {
    const flags = /flags:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & O_DSYNC) !== 0;
  };
  return { synced: open.filter(isSynced), plain: open.filter((fd) => !isSynced(fd)) };
};

/** System calls in the order in which they returned; one that another thread interrupted in the output is joined again. */
export const callsIn = (file: string): readonly string[] => {
  const begun = new Map<string, string>();
  const calls: string[] = [];
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, thread = '', call = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(call);
    if (call.endsWith('<unfinished ...>')) begun.set(thread, call.slice(0, -'<unfinished ...>'.length));
    else if (resumed) calls.push(`${begun.get(thread) ?? ''}${resumed[1]}`);
    else calls.push(call);
  }
  return calls;
};
