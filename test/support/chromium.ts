import { spawnSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';
import type { Test } from 'tap';

/* The Chromium of this machine, as Debian has it (chromium). */

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** The first whose Ed25519 is switched on. */
const FIRST = 137;

const version = (name: string): number =>
  Number(/ (\d+)\./.exec(spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
const program = NAMES.find((name) => version(name) >= FIRST);

/** Why it cannot be used here; false if it can. For `skip`. */
export const chromiumMissing: string | false =
  program === undefined && `needs Chromium ${FIRST} or later: apt-get install chromium`;

/** One that is closed with the test. */
export const browserFor = async (t: Test): Promise<Browser> => {
  const path = spawnSync('sh', ['-c', 'command -v "$0"', program ?? ''], { encoding: 'utf8' }).stdout.trim();
  const browser = await chromium.launch({ executablePath: path });
  t.teardown(() => browser.close());
  return browser;
};
