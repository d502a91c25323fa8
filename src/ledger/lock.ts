import { linkSync, readFileSync, readlinkSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../attempt.js';
import type { Clock } from '../ports.js';
import type { Store } from './store.js';

/*
 * One writing process per state folder. LMDB keeps two writers from tearing its pages, not from deciding against each other.
 * The lock is a file that names its holder; a holder that died is recognised by its process being gone, so a crash needs no
 * cleaning up. Looking and taking happen inside LMDB's own mutex: of two that find a dead holder, one gets the lock. A holder
 * in another process namespace (a container) cannot be looked up, so every holder also touches its lock as a sign of life.
 */

const BEAT_MS = 5_000;
const SILENT_MS = 15_000;

/** Who holds the lock. A process is named by more than its number, which is used again. */
export interface Holder {
  readonly pid: number;
  readonly startedAt?: string | undefined;
  readonly boot?: string | undefined;
  readonly namespace?: string | undefined;
  readonly host: string;
  readonly purpose: string;
}

export interface Lock {
  release(): void;
}

const fileOf = (store: Store): string => join(store.path, 'lock');

/** Takes the lock, or says who has it. */
export const takeLock = (store: Store, purpose: string, clock: Clock): Either<Holder, Lock> =>
  store.exclusively(() => {
    const file = fileOf(store);
    const holder = holderOf(file);
    if (holder !== undefined && lives(holder, file, clock.now())) return E.left(holder);
    const mine = `${file}.${process.pid}`;
    writeFileSync(mine, `${JSON.stringify(self(purpose))}\n`, { mode: 0o600 });
    rmSync(file, { force: true });
    linkSync(mine, file);
    rmSync(mine);
    const stop = clock.every(BEAT_MS, () => beat(file, clock.now()));
    return E.right({
      release: () => {
        stop();
        rmSync(file, { force: true });
      },
    });
  });

const beat = (file: string, now: number): void => attempt(() => utimesSync(file, now / 1000, now / 1000));

const holderOf = (file: string): Holder | undefined => attempt(() => JSON.parse(readFileSync(file, 'utf8')) as Holder);

const self = (purpose: string): Holder => ({
  pid: process.pid,
  startedAt: startOf(process.pid),
  boot: read('/proc/sys/kernel/random/boot_id'),
  namespace: link('/proc/self/ns/pid'),
  host: hostname(),
  purpose,
});

const lives = (holder: Holder, file: string, now: number): boolean => {
  const me = self('');
  if (holder.boot !== me.boot) return false;
  if (holder.namespace !== me.namespace) return now - statSync(file).mtimeMs < SILENT_MS;
  if (holder.startedAt !== undefined) return holder.startedAt === startOf(holder.pid);
  return attempt(() => process.kill(holder.pid, 0)) === true;
};

/** When a process began, in clock ticks since the machine did: field 22 of /proc/pid/stat, behind the name in parentheses. */
const startOf = (pid: number): string | undefined => read(`/proc/${pid}/stat`)?.split(') ').at(-1)?.split(' ')[19];

const read = (file: string): string | undefined => attempt(() => readFileSync(file, 'utf8').trim());
const link = (file: string): string | undefined => attempt(() => readlinkSync(file));
