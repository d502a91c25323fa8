import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Event } from '../../events/index.js';
import { type Flags, loadSettings, type Settings } from '../../src/config/settings.js';
import { type Gateway, startGateway } from '../../src/gateway/gateway.js';
import { Reader } from '../../src/ledger/reader.js';
import { Store } from '../../src/ledger/store.js';
import { Logging } from '../../src/logging/logging.js';
import { systemEntropy } from '../../src/runtime.js';
import { credentialsLeft, credentialsShown, TOKEN } from './credentials.js';
import { SkipClock } from './skip-clock.js';

export { TOKEN };

/** The wire is the same whoever takes connections: with WORKERS=2 the tests that use one see a gateway with two workers. */
export const WORKERS = Number(process.env['WORKERS'] ?? 0);

export interface Running {
  readonly gateway: Gateway;
  readonly settings: Settings;
  readonly clock: SkipClock;
  readonly port: number;
  readonly state: string;
  /** What it said on its terminal. */
  readonly lines: readonly string[];
  stop(): Promise<void>;
}

export interface RunningOptions {
  /** `gateway` section of its openclaw.json. */
  readonly config?: object;
  /** Its `canvasHost` section. */
  readonly canvasHost?: object;
  readonly flags?: Flags;
  readonly env?: Readonly<Record<string, string>>;
  /** Begin on the state of a gateway that was stopped. */
  readonly state?: string;
}

/**
 * A gateway in this process, on a port of its own, with a state folder of its own that is gone when the test is over. No credential that
 * went through the test may be left in it.
 */
export const running = async (
  t: Test,
  { config, canvasHost, flags, env, state = mkdtempSync(join(tmpdir(), 'clawledger-')) }: RunningOptions = {},
): Promise<Running> => {
  if (config !== undefined || canvasHost !== undefined)
    writeFileSync(join(state, 'openclaw.json'), JSON.stringify({ gateway: config, canvasHost }));
  const settings = loadSettings(
    { port: 0, workers: WORKERS, ...flags },
    { OPENCLAW_STATE_DIR: state, OPENCLAW_GATEWAY_TOKEN: TOKEN, ...env },
  );
  credentialsShown({ token: settings.auth.secret?.value });
  const clock = new SkipClock();
  const lines: string[] = [];
  const log = new Logging({
    level: 'debug',
    file: join(state, 'gateway.log'),
    temporary: state,
    clock,
    out: (line) => lines.push(line),
    err: (line) => lines.push(line),
  });
  const gateway = await startGateway({ settings, clock, entropy: systemEntropy(), log });
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await gateway.stop('test');
    log.close();
    clock.stop();
  };
  t.teardown(async () => {
    await stop();
    const left = credentialsLeft(state, lines);
    rmSync(state, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`credentials were left where they must not be: ${left.join(', ')}`);
  });
  const port = gateway.listening[0]?.port ?? 0;
  return { gateway, settings, clock, port, state, lines, stop };
};

/** Everything that is in the log of a state folder, also beside a gateway that runs. */
export const logOf = (state: string): readonly Event[] => {
  const store = new Store({ path: join(state, 'ledger'), readOnly: true });
  const events = [...new Reader(() => store).range()];
  void store.close();
  return events;
};
