import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { withDescriptors } from '../servers/descriptors.js';
import type { Tasks } from './tasks/index.js';

/* Several client processes, told what to do at once. */

const PROGRAM = fileURLToPath(new URL('./client-process.js', import.meta.url));

type Args<T extends keyof Tasks> = Parameters<Tasks[T]>[0];
type Result<T extends keyof Tasks> = Awaited<ReturnType<Tasks[T]>>;

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

class ClientProcess {
  private readonly waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  private next = 0;
  private readonly child: ChildProcess;

  constructor(number: number) {
    const [command, ...args] = withDescriptors([process.execPath, PROGRAM, String(number)]);
    this.child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], serialization: 'advanced' });
    this.child.on('message', ({ id, result, error }: Reply) => {
      const one = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) one?.resolve(result as never);
      else one?.reject(new Error(error));
    });
    this.child.on('exit', (code, signal) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`a client process ended: ${signal ?? code}`));
    });
  }

  do<T extends keyof Tasks>(task: T, args: Args<T>): Promise<Result<T>> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.child.send({ id, task, args });
    });
  }

  stop(): void {
    if (this.child.connected) this.child.disconnect();
  }
}

export class Clients {
  private readonly processes: readonly ClientProcess[];

  constructor(readonly count: number) {
    this.processes = Array.from({ length: count }, (_, number) => new ClientProcess(number));
  }

  /** Every process does it, each with what is its. */
  all<T extends keyof Tasks>(task: T, args: (number: number) => Args<T>): Promise<readonly Result<T>[]> {
    return Promise.all(this.processes.map((one, number) => one.do(task, args(number))));
  }

  /** One process does it, while the others do what they do. */
  one<T extends keyof Tasks>(number: number, task: T, args: Args<T>): Promise<Result<T>> {
    const process = this.processes[number];
    if (process === undefined) throw new Error(`no client process ${number}`);
    return process.do(task, args);
  }

  /** The part of a whole that is a process's. */
  share(whole: number, number: number): number {
    return Math.floor(whole / this.count) + (number < whole % this.count ? 1 : 0);
  }

  /** The part of a range. */
  range(first: number, count: number, number: number): { readonly first: number; readonly count: number } {
    const before = Array.from({ length: number }, (_, i) => this.share(count, i)).reduce((a, b) => a + b, 0);
    return { first: first + before, count: this.share(count, number) };
  }

  stop(): void {
    for (const one of this.processes) one.stop();
  }
}
