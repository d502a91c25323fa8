import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TOKEN } from './client.js';

/* A server in a process of its own: the gateway as people run it, or the limit beside it. */

const GATEWAY = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const LOOP_DELAY = fileURLToPath(new URL('./loop-delay.js', import.meta.url));
const LIMIT = fileURLToPath(new URL('./limit.js', import.meta.url));

const TICKS_PER_SECOND = 100;
const LOOP_DELAY_FILE = 'loop-delay.json';

export class Server {
  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    readonly port: number,
    /** From the start of the process to its first line about listening, in ms. */
    readonly startMs: number,
    private readonly keep: boolean,
  ) {}

  /** A gateway on a state folder of its own; on a given one it leaves it as it is when it stops. */
  static gateway(state?: string, { watchLoop = false } = {}): Promise<Server> {
    const preload = watchLoop ? ['--import', LOOP_DELAY] : [];
    return Server.start(state, () => [...preload, GATEWAY, 'gateway', 'run', '--port', '0']);
  }

  static limit(): Promise<Server> {
    return Server.start(undefined, (folder) => [LIMIT, join(folder, 'limit')]);
  }

  private static async start(given: string | undefined, args: (folder: string) => readonly string[]): Promise<Server> {
    const folder = given ?? mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
    const begun = performance.now();
    const child = spawn(process.execPath, args(folder), {
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        OPENCLAW_STATE_DIR: folder,
        OPENCLAW_GATEWAY_TOKEN: TOKEN,
        LOOP_DELAY: join(folder, LOOP_DELAY_FILE),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const port = await new Promise<number>((resolve, reject) => {
      let said = '';
      let complaint = '';
      child.stdout.on('data', (data) => {
        said += data;
        const found = /listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
        if (found !== undefined) resolve(Number(found));
      });
      child.stderr.on('data', (data) => {
        complaint = String(data);
      });
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${said}${complaint}`)));
    });
    return new Server(child, folder, port, performance.now() - begun, given !== undefined);
  }

  /** CPU time it has used, in s. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return (Number(stat[11]) + Number(stat[12])) / TICKS_PER_SECOND;
  }

  /** How late its loop was since this was asked last, in ms; of a gateway that was started to be watched. */
  async loopDelay(): Promise<{ readonly p50: number; readonly p99: number; readonly max: number }> {
    const file = join(this.folder, LOOP_DELAY_FILE);
    rmSync(file, { force: true });
    this.child.kill('SIGUSR2');
    while (!existsSync(file)) await sleep(10);
    await sleep(10);
    return JSON.parse(readFileSync(file, 'utf8')) as { p50: number; p99: number; max: number };
  }

  /** Memory that is its own, in bytes: the mapped log is not. */
  anonymousBytes(): number {
    const kilobytes = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
    if (!this.keep) rmSync(this.folder, { recursive: true, force: true });
  }
}
