import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/*
 * What others made, to be tested against: brought once a machine into a cache folder (about 1.5 GB), because nobody who
 * installs this project should pay for it. CLAWLEDGER_PEERS names another folder.
 */

const CACHE =
  process.env['CLAWLEDGER_PEERS'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'clawledger-peers');

/** Installs these packages into a folder of the cache, unless what they are wanted for is there already. */
const brought = (name: string, manifest: object, wanted: string, flags: readonly string[] = []): string => {
  const folder = join(CACHE, name);
  const file = join(folder, 'node_modules', wanted);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, ...manifest }));
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', ...flags], {
    cwd: folder,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`npm install failed in ${folder}`);
  return file;
};

/** A Node 22, which the real OpenClaw asks for. */
export const node22 = (): string => brought('node', { dependencies: { node: '22.23.3' } }, '.bin/node');

/** The real OpenClaw 2026.3.2: its program. One of its dependencies is not on the registry under the name it asks for. */
export const realOpenclaw = (): string =>
  brought(
    'openclaw-2026.3.2',
    { dependencies: { openclaw: '2026.3.2' }, overrides: { libsignal: 'npm:libsignal-node@2.0.1' } },
    'openclaw/openclaw.mjs',
    ['--ignore-scripts'],
  );
