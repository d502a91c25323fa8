import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TOKEN } from '../client.js';
import { withDescriptors } from './descriptors.js';
import { cpuOf, descriptorsOf, memoryOf, treeOf } from './processes.js';

/* A server in a process of its own: the gateway as people run it, or another beside it. */

const GATEWAY = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const LOOP_DELAY = new URL('./loop-delay.js', import.meta.url).href;
const LIMIT = fileURLToPath(new URL('./limit.js', import.meta.url));

const PROBES = 'probes';
/** What a run that is broken off has to clear away. */
const running = new Map<ChildProcess, string | undefined>();

/** For who is told to stop at once. */
export const clearAway = (): void => {
  for (const [child, folder] of running) {
    child.kill('SIGKILL');
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  }
};
const ANSWER_MS = 5000;

/** How a server is started. */
export interface Launch {
  readonly command: (folder: string) => readonly string[];
  readonly env?: (folder: string) => Readonly<Record<string, string>>;
  /** Makes in its folder what has to be there before. */
  readonly prepare?: (folder: string) => void;
  /** Its port, from what it has said so far, once it listens. */
  readonly listening?: (said: string) => Promise<number | undefined> | number | undefined;
  /** Its loop and its heap are watched, at the cost of a timer. */
  readonly watched?: boolean;
}

/** How late the loop was since this was asked last, in ms; and bytes in the heap. Of several processes the worst, and the sum. */
export interface Probe {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly heap: number;
}

const announced = (said: string): number | undefined => {
  const port = /listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
  return port === undefined ? undefined : Number(port);
};

export class Server {
  private constructor(
    private readonly launch: Launch,
    private readonly child: ChildProcess,
    readonly folder: string,
    readonly port: number,
    /** From the start of the process to its first line about listening, in ms. */
    readonly startMs: number,
    private readonly keep: boolean,
  ) {}

  /** A gateway on a state folder of its own; on a given one it leaves it as it is when it stops. */
  static gateway(state?: string, { watchLoop = false } = {}): Promise<Server> {
    const command = () => [process.execPath, GATEWAY, 'gateway', 'run', '--port', '0'];
    return Server.start({ command, watched: watchLoop }, state);
  }

  static limit(): Promise<Server> {
    return Server.start({ command: (folder) => [process.execPath, LIMIT, join(folder, 'limit')] });
  }

  static async start(launch: Launch, given?: string): Promise<Server> {
    const folder = given ?? mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
    mkdirSync(join(folder, PROBES), { recursive: true });
    launch.prepare?.(folder);
    const begun = performance.now();
    const [command, ...args] = withDescriptors(launch.command(folder));
    const child = spawn(command, args, {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        OPENCLAW_STATE_DIR: folder,
        OPENCLAW_GATEWAY_TOKEN: TOKEN,
        ...(launch.watched ? { NODE_OPTIONS: `--import=${LOOP_DELAY}`, PROBES: join(folder, PROBES) } : {}),
        ...launch.env?.(folder),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.set(child, given === undefined ? folder : undefined);
    const port = await portOf(child, launch.listening ?? announced);
    return new Server(launch, child, folder, port, performance.now() - begun, given !== undefined);
  }

  private get processes(): readonly number[] {
    return treeOf(this.child.pid ?? 0);
  }

  private sum(of: (pid: number) => number): number {
    return this.processes.reduce((sum, pid) => sum + of(pid), 0);
  }

  /** CPU time it has used, in s. */
  cpu(): number {
    return this.sum(cpuOf);
  }

  /** Memory in use, in bytes. */
  residentBytes(): number {
    return this.sum((pid) => memoryOf(pid).rss);
  }

  /** Memory that is its own, in bytes: the mapped log is not. */
  anonymousBytes(): number {
    return this.sum((pid) => memoryOf(pid).anonymous);
  }

  descriptors(): number {
    return this.sum(descriptorsOf);
  }

  /** Of a server that was started to be watched; undefined if none of its processes answers. */
  async probe(): Promise<Probe | undefined> {
    const folder = join(this.folder, PROBES);
    const watched = this.processes.filter((pid) => existsSync(join(folder, `${pid}.listens`)));
    const answers = (await Promise.all(watched.map((pid) => asked(pid, folder)))).filter((one) => one !== undefined);
    if (answers.length === 0) return undefined;
    const worst = (of: (probe: Probe) => number): number => Math.max(...answers.map(of));
    return {
      p50: worst(({ p50 }) => p50),
      p99: worst(({ p99 }) => p99),
      max: worst(({ max }) => max),
      heap: answers.reduce((sum, { heap }) => sum + heap, 0),
    };
  }

  /** How late its loop was since this was asked last, in ms; of a gateway that was started to be watched. */
  async loopDelay(): Promise<Probe> {
    const found = await this.probe();
    if (found === undefined) throw new Error('the server does not say how late its loop is');
    return found;
  }

  /** Another process on the same folder. The port may be another. */
  async restart(): Promise<Server> {
    await this.end();
    const { port, child, startMs } = await Server.start(this.launch, this.folder);
    return new Server(this.launch, child, this.folder, port, startMs, this.keep);
  }

  /** Ends; its folder stays. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(timer);
  }

  async stop(): Promise<void> {
    await this.end();
    running.delete(this.child);
    if (!this.keep) rmSync(this.folder, { recursive: true, force: true });
  }
}

const portOf = (child: ChildProcess, listening: NonNullable<Launch['listening']>): Promise<number> =>
  new Promise((resolve, reject) => {
    let said = '';
    let complaint = '';
    let over = false;
    child.stdout?.on('data', (data) => {
      if (!over) said += data;
    });
    child.stderr?.on('data', (data) => {
      complaint += String(data);
    });
    child.on('close', (code) => {
      over = true;
      reject(new Error(`ended with ${code}: ${said}${complaint}`));
    });
    const look = async (): Promise<void> => {
      while (!over) {
        const port = await listening(said);
        if (port !== undefined) {
          over = true;
          return resolve(port);
        }
        await sleep(1);
      }
    };
    void look();
  });

const asked = async (pid: number, folder: string): Promise<Probe | undefined> => {
  const file = join(folder, `${pid}.json`);
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (const end = performance.now() + ANSWER_MS; performance.now() < end; await sleep(10))
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Probe;
  return undefined;
};
