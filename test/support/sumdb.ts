import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/* A verifier that others wrote: the packages of Go's module database, as Debian has them (golang-go, golang-golang-x-mod-dev). */

const SOURCE = join(import.meta.dirname, '../../../test/conformance/sumdb/main.go');
const PACKAGES = '/usr/share/gocode';

const built = (): { readonly program: string } | { readonly missing: string } => {
  const folder = mkdtempSync(join(tmpdir(), 'clawledger-sumdb-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'sumdb');
  const env = { HOME: folder, ...process.env, GO111MODULE: 'off', GOPATH: PACKAGES, GOFLAGS: '', CGO_ENABLED: '0' };
  const build = spawnSync('go', ['build', '-o', program, SOURCE], { env, encoding: 'utf8' });
  if (build.error !== undefined) return { missing: 'needs Go: apt-get install golang-go golang-golang-x-mod-dev' };
  if (build.status === 0) return { program };
  if (/cannot find package/.test(build.stderr))
    return { missing: 'needs x/mod: apt-get install golang-golang-x-mod-dev' };
  throw new Error(build.stderr);
};

const build = built();

/** Why it cannot be used here; false if it can. For `skip`. */
export const sumdbMissing: string | false = 'missing' in build ? build.missing : false;

/** What it says: `ok <size> <root>`, or `bad: <step>: <why>`. */
export const sumdb = (...args: readonly string[]): string => {
  if ('missing' in build) throw new Error(build.missing);
  return spawnSync(build.program, args, { encoding: 'utf8' }).stdout.trimEnd();
};
