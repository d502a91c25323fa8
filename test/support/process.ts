import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/* The program as people run it: processes, exit codes, what is on stdout and what on stderr. */

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

type Environment = Readonly<Record<string, string>>;

/** Nothing of the machine that runs the tests, but where to find programs. */
const environment = (state: string, env: Environment): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: state,
  OPENCLAW_STATE_DIR: state,
  ...env,
});

export const launch = (state: string, args: readonly string[], env: Environment, stdin?: string): ChildProcess => {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environment(state, env),
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(stdin);
  return child;
};

const collect = (child: ChildProcess) => {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (data) => {
    said.out += data;
  });
  child.stderr?.on('data', (data) => {
    said.err += data;
  });
  return said;
};

/** A state folder that is gone when the test is over. */
export const stateFolder = (t: Test): string => {
  const state = mkdtempSync(join(tmpdir(), 'clawledger-cli-'));
  t.teardown(() => rmSync(state, { recursive: true, force: true }));
  return state;
};

/** Runs a command to its end. */
export const openclaw = (
  state: string,
  args: readonly string[],
  env: Environment = {},
  stdin?: string,
): Promise<Ended> => {
  const child = launch(state, args, env, stdin);
  const said = collect(child);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
};

export interface RunningProcess {
  readonly pid: number;
  readonly port: number;
  readonly said: { readonly out: string; readonly err: string };
  /** Sends a signal and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Ended>;
  /** Waits until something is on stdout. */
  until(text: string): Promise<void>;
}

/** Starts a gateway on any free port and waits until it listens. */
export const gatewayProcess = async (
  t: Test,
  state: string,
  args: readonly string[] = [],
  env: Environment = {},
): Promise<RunningProcess> => {
  const child = launch(state, ['gateway', 'run', '--port', '0', ...args], env);
  const said = collect(child);
  const ended = new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, ...said })));
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const until = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (said.out.includes(text)) resolve();
      };
      child.stdout?.on('data', look);
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${said.out}${said.err}`)));
      look();
    });
  await until('log file:');
  const port = Number(/listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said.out)?.[1]);
  return {
    pid: child.pid ?? 0,
    port,
    said,
    until,
    end: (signal = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
};
