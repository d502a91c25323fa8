import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { makeFolder, placeFile } from '../files.js';
import { openCheckpoint, type SignedCheckpoint } from '../proof/checkpoint.js';
import { noteText } from '../proof/note.js';
import { entriesAt, TILE_WIDTH, type Tile, tileAt } from '../proof/tile.js';
import { CHECKPOINT, isIn } from './log-files.js';

/*
 * A folder with the files of a log, which may be served as it is. Each file is placed whole and on the disk, and the checkpoint is the
 * last: whoever reads at any moment finds everything that the checkpoint in place asks for. What is being written towards is in
 * `checkpoint.next`, so that a folder which was left in the middle is known for what it is.
 */

const NEXT = 'checkpoint.next';
const TILES = 'tile';
/** What `placeFile` leaves behind when it is cut short. */
const UNFINISHED = /\.\d+\.tmp$/;

/** For whoever serves it: nothing in it is personal or secret. The umask still applies. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

const NOT_AN_EXPORT = 'is neither empty nor the export of a log';

export class LogFolder {
  constructor(readonly path: string) {}

  /** The checkpoints it was written for, and was being written towards. The left says what it is instead of an export. */
  async checkpoints(): Promise<Either<string, readonly SignedCheckpoint[]>> {
    const names = await namesIn(this.path);
    if (names === undefined) return E.left('is not a folder');
    const found: SignedCheckpoint[] = [];
    for (const name of [CHECKPOINT, NEXT].filter((name) => names.includes(name))) {
      const opened = openCheckpoint(await readFile(join(this.path, name)));
      if (E.isLeft(opened)) return E.left(`${NOT_AN_EXPORT}: its ${name} is ${opened.left}`);
      found.push(opened.right);
    }
    const foreign = found.length === 0 && names.some((name) => !UNFINISHED.test(name));
    return foreign ? E.left(NOT_AN_EXPORT) : E.right(found);
  }

  /** From now on it is being written towards this checkpoint. */
  async begin({ note }: SignedCheckpoint): Promise<void> {
    await makeFolder(this.path, FOLDER_MODE);
    await this.place(NEXT, Buffer.from(noteText(note)));
  }

  /** False if the same file is there already. */
  async place(path: string, bytes: Buffer): Promise<boolean> {
    const file = join(this.path, path);
    const there = await stat(file).catch(() => undefined);
    if (there?.size === bytes.length && (await readFile(file)).equals(bytes)) return false;
    await makeFolder(dirname(file), FOLDER_MODE);
    await placeFile(file, bytes, FILE_MODE);
    return true;
  }

  /** All files of the tree are there: the checkpoint goes in place, and what only older ones asked for goes away. False if it was there. */
  async end({ note, checkpoint }: SignedCheckpoint): Promise<boolean> {
    const written = await this.place(CHECKPOINT, Buffer.from(noteText(note)));
    await rm(join(this.path, NEXT), { force: true });
    for (const name of (await namesIn(this.path)) ?? []) if (UNFINISHED.test(name)) await rm(join(this.path, name));
    await this.sweep(TILES, checkpoint.size);
    return written;
  }

  /** Takes away what is no file of a tree of this size, as far as it can only have been one of an older, or of one cut short. */
  private async sweep(folder: string, size: number): Promise<void> {
    for (const entry of await readdir(join(this.path, folder), { withFileTypes: true }).catch(() => [])) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) await this.sweep(path, size);
      else if (isOutdated(path, size)) await rm(join(this.path, path));
    }
    /* Only a folder of partial tiles becomes empty. */
    if (folder.endsWith('.p')) await rmdir(join(this.path, folder)).catch(() => {});
  }
}

const isOutdated = (path: string, size: number): boolean => {
  const tile = E.getOrElse<string, Tile | undefined>(() => undefined)(anyTileAt(path.replace(UNFINISHED, '')));
  if (tile === undefined) return false;
  return UNFINISHED.test(path) || !isIn(size, tile) || (tile.width < TILE_WIDTH && !isLast(size, tile));
};

const anyTileAt = (path: string): Either<string, Tile> => {
  const tile = tileAt(path);
  return E.isRight(tile) ? tile : E.map((bundle: Omit<Tile, 'level'>) => ({ level: 0, ...bundle }))(entriesAt(path));
};

/** Does a level of a tree of this size end with this tile? */
const isLast = (size: number, { level, index, width }: Tile): boolean =>
  index * TILE_WIDTH + width === Math.floor(size / TILE_WIDTH ** level);

/** None where there is no folder yet; undefined where there is something else. */
const namesIn = async (path: string): Promise<readonly string[] | undefined> => {
  try {
    return await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return undefined;
    throw error;
  }
};
