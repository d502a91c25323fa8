import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { limits } from '../limits.js';

/*
 * The text log: one file a day in a folder of ours alone. It is for people, not evidence, so it is bounded: a file that is full
 * is put aside once and begun anew, and old days go. A path is never followed through a symbolic link: the folder is in /tmp.
 */

const PREFIX = 'openclaw-';

/** `openclaw-2026-03-12.log`, by the local calendar. */
export const fileOfDay = (now: Date): string => {
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${PREFIX}${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}.log`;
};

/** The folder for daily files: `openclaw` in the temporary folder, or with our user id if that one is somebody else's. */
export const logFolder = (temporary: string): string | undefined => {
  const uid = process.getuid?.() ?? 0;
  return [join(temporary, 'openclaw'), join(temporary, `openclaw-${uid}`)].find((folder) => isOurs(folder, uid));
};

const isOurs = (folder: string, uid: number): boolean => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stat = lstatSync(folder);
    if (!stat.isDirectory() || stat.uid !== uid) return false;
    if ((stat.mode & 0o077) !== 0) fchmod(folder, 0o700);
    return true;
  } catch {
    return false;
  }
};

const fchmod = (folder: string, mode: number): void => {
  const fd = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
};

interface Open {
  readonly path: string;
  readonly fd: number;
  size: number;
}

/** A stream for pino: each write is a whole line, and is with the system when it returns. */
export class DailyFile {
  private open: Open | undefined;

  /** `pathOf` names the file of a day; a fixed name makes it one file for all days. */
  constructor(
    private readonly pathOf: (now: Date) => string,
    private readonly now: () => number,
    private readonly onFault: (error: unknown) => void,
  ) {}

  get path(): string {
    return this.pathOf(new Date(this.now()));
  }

  write(line: string): void {
    try {
      const file = this.current();
      if (file.size >= limits.log.fileBytes) return this.putAside(file, line);
      file.size += writeSync(file.fd, line);
    } catch (error) {
      this.close();
      this.onFault(error);
    }
  }

  close(): void {
    if (this.open !== undefined) closeSync(this.open.fd);
    this.open = undefined;
  }

  private current(): Open {
    const { path } = this;
    if (this.open?.path === path) return this.open;
    this.close();
    this.open = openFile(path);
    prune(dirname(path), basename(path));
    return this.open;
  }

  private putAside(file: Open, line: string): void {
    this.close();
    renameSync(file.path, `${file.path}.1`);
    this.open = openFile(file.path);
    this.open.size += writeSync(this.open.fd, line);
  }
}

const openFile = (path: string): Open => {
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;
  const fd = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
  return { path, fd, size: fstatSync(fd).size };
};

/** Removes the days that are too old. */
const prune = (folder: string, today: string): void => {
  if (!today.startsWith(PREFIX)) return;
  const days = readdirSync(folder)
    .filter((name) => /^openclaw-\d{4}-\d\d-\d\d\.log(\.1)?$/.test(name))
    .sort();
  for (const name of days.slice(0, Math.max(0, days.length - limits.log.filesKept)))
    rmSync(join(folder, name), { force: true });
};
