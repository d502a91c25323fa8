import { open, readFile, rm, stat } from 'node:fs/promises';
import { placeFile } from '../files.js';

/*
 * The latest checkpoint, kept in a place that is not restored together with the log: a copy of the log from yesterday does not know
 * that it is one, the mark does. Whoever raises it has to know what it said before, so of two processes that sign for copies of one log
 * the second is found out.
 */

/** Holding the file of the lock for longer is a sign of death. */
const HELD_MS = 10_000;
const ATTEMPTS = 50;
const BETWEEN_MS = 20;

export class HighWaterMark {
  constructor(readonly path: string) {}

  /** What it says; undefined if there is none yet. */
  async read(): Promise<string | undefined> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  /** Raises it, on the disk when this resolves. False, and nothing is changed, if it does not say what was expected. */
  async raise(expected: string | undefined, to: string): Promise<boolean> {
    const release = await this.lock();
    try {
      if ((await this.read()) !== expected) return false;
      await placeFile(this.path, Buffer.from(to), 0o600);
      return true;
    } finally {
      await release();
    }
  }

  private async lock(): Promise<() => Promise<void>> {
    const file = `${this.path}.lock`;
    for (let attempt = 1; ; attempt++) {
      try {
        await (await open(file, 'wx', 0o600)).close();
        return () => rm(file, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === ATTEMPTS) throw error;
      }
      const held = await stat(file).catch(() => undefined);
      if (held !== undefined && Date.now() - held.mtimeMs > HELD_MS) await rm(file, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
  }
}
