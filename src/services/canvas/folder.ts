import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { lookup } from 'mrmime';
import { limits } from '../../limits.js';

/*
 * The files of one folder, and nothing beside it: a path leads through names, each of which is one (no `..`, no hidden file, no separator in
 * another spelling), and what it leads to still lies in the folder when all links have been followed.
 */

export interface CanvasFile {
  readonly is: 'file';
  readonly handle: FileHandle;
  readonly bytes: number;
  /** The same as long as the file is: its size and when it was changed. */
  readonly tag: string;
  readonly type: string;
}

export type Found = CanvasFile | { readonly is: 'folder' } | undefined;

const INDEX = 'index.html';

export class CanvasFolder {
  constructor(readonly root: string) {}

  /** What is at a path of a URL below the folder, as it was sent. A folder that is asked for with its slash is its index. */
  async find(path: string): Promise<Found> {
    const names = namesIn(path);
    if (names === undefined) return undefined;
    const isFolder = path === '' || path.endsWith('/');
    const wanted = join(this.root, ...names, ...(isFolder ? [INDEX] : []));
    try {
      const [root, real] = await Promise.all([realpath(this.root), realpath(wanted)]);
      if (real !== root && !real.startsWith(root + sep)) return undefined;
      if ((await stat(real)).isDirectory()) return { is: 'folder' };
      return await opened(real);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (NOT_THERE.has(code)) return undefined;
      throw error;
    }
  }
}

const NOT_THERE = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENAMETOOLONG', 'ENXIO']);

/** Undefined if one of them is none. */
const namesIn = (path: string): readonly string[] | undefined => {
  if (path.length > limits.canvas.pathChars) return undefined;
  const names: string[] = [];
  for (const part of path.split('/')) {
    if (part === '') continue;
    const name = decoded(part);
    if (name === undefined || name.startsWith('.') || UNSAFE.test(name)) return undefined;
    names.push(name);
  }
  return names;
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const UNSAFE = /[/\\:\u0000-\u001f\u007f]/;

const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
};

/** Whatever is no plain file is not there, and does not keep us waiting. */
const opened = async (path: string): Promise<CanvasFile | undefined> => {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const info = await handle.stat();
  if (!info.isFile()) {
    await handle.close();
    return undefined;
  }
  const { size, mtimeMs, ino } = info;
  const tag = `"${ino.toString(36)}-${size.toString(36)}-${Math.round(mtimeMs * 1000).toString(36)}"`;
  return { is: 'file', handle, bytes: size, tag, type: typeOf(path) };
};

const typeOf = (path: string): string => {
  const type = lookup(path) ?? 'application/octet-stream';
  return /^text\/|javascript|json|xml/.test(type) ? `${type}; charset=utf-8` : type;
};
