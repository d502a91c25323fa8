import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Puts a file in place whole and on the disk, or leaves what was there: written beside, flushed, renamed, folder flushed. */
export const replaceFile = (file: string, text: string, mode: number): void => {
  const beside = `${file}.${process.pid}.tmp`;
  rmSync(beside, { force: true });
  const fd = openSync(beside, 'wx', mode);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, file);
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
};

/** The same for what is large, without holding up the loop while the disk is at work. */
export const placeFile = async (file: string, bytes: Buffer, mode: number): Promise<void> => {
  const beside = `${file}.${process.pid}.tmp`;
  await rm(beside, { force: true });
  const handle = await open(beside, 'wx', mode);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await flushFolder(dirname(file));
};

/** Makes a folder, and those above it that are not there, on the disk when this resolves. */
export const makeFolder = async (path: string, mode: number): Promise<void> => {
  const first = await mkdir(path, { recursive: true, mode });
  if (first === undefined) return;
  for (let made = resolve(path); ; made = dirname(made)) {
    await flushFolder(dirname(made));
    if (made === resolve(first)) return;
  }
};

/** What was made in a folder, or renamed, is there after a crash too. */
export const flushFolder = async (path: string): Promise<void> => {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
};

/** A file or folder that others can enter, where a secret lives. */
export class NotPrivate extends Error {
  override readonly name = 'NotPrivate';
}

/** Refuses what others can read, and names the command that mends it. */
export const mustBePrivate = (path: string): void => {
  const stat = statSync(path);
  const mode = stat.mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new NotPrivate(
    `others can read ${path} (mode ${mode.toString(8)}): chmod ${stat.isDirectory() ? '700' : '600'} ${path}`,
  );
};

/** A folder of ours alone: made if it is not there, refused if others can enter it. */
export const privateFolder = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  mustBePrivate(path);
};
