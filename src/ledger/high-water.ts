import { constants } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { placeFile } from '../files.js';
import { limits } from '../limits.js';

/*
 * The latest checkpoint, kept in a place that is not restored together with the log: a copy of the log from yesterday does not know
 * that it is one, the mark does. Whoever raises it has to know what it said before, so of two processes that sign for copies of one log
 * the second is found out. The place may be a share that is away or hangs: then nothing is signed, and the log goes on.
 */

/** The place of the mark cannot be used. */
export class MarkUnusable extends Error {
  override readonly name = 'MarkUnusable';
}

/** Holding the file of the lock for longer is a sign of death. */
const HELD_MS = 10_000;
const BETWEEN_MS = 20;

export class HighWaterMark {
  /** What it said when it was last tried to be raised, and to what: that may have reached the disk even where it seemed to fail, and late. */
  private own: readonly string[] = [];
  /** What was tried last took too long and is not over. A thread waits for it, of few that all the process has: nothing more is tried until it is. */
  private hanging = false;

  constructor(
    readonly path: string,
    private readonly patienceMs: number = limits.ledger.markMs,
  ) {}

  /** What it says; undefined if there is none. Throws MarkUnusable. */
  read(): Promise<string | undefined> {
    return this.inTime('read', () => this.said());
  }

  /**
   * Raises it, on the disk when this resolves. False, and nothing is changed, if it says neither what was expected nor what this process
   * tried to write itself. Throws MarkUnusable.
   */
  raise(expected: string | undefined, to: string): Promise<boolean> {
    return this.inTime('written', async (late) => {
      const release = await this.lock(late);
      try {
        const said = await this.said();
        if (late.aborted) throw new Error('it took too long');
        if (said === undefined && expected !== undefined) throw new Error('it is gone: is its disk mounted?');
        if (said !== expected && (said === undefined || !this.own.includes(said))) return false;
        this.own = said === undefined ? [to] : [said, to];
        await placeFile(this.path, Buffer.from(to), 0o600);
        return true;
      } finally {
        await release();
      }
    });
  }

  /** What is there may be a pipe or a device, which would be read for ever. */
  protected async said(): Promise<string | undefined> {
    try {
      const file = await open(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await file.stat()).isFile()) throw new Error('it is no file');
        return await file.readFile('utf8');
      } finally {
        await file.close();
      }
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  private async lock(late: AbortSignal): Promise<() => Promise<void>> {
    const file = `${this.path}.lock`;
    while (!late.aborted) {
      try {
        await (await open(file, 'wx', 0o600)).close();
        return () => rm(file, { force: true });
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const held = await stat(file).catch(() => undefined);
      if (held !== undefined && Date.now() - held.mtimeMs > HELD_MS) await rm(file, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
    throw new Error('it is locked');
  }

  private async inTime<T>(done: 'read' | 'written', work: (late: AbortSignal) => Promise<T>): Promise<T> {
    const patience = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.hanging = true;
        patience.abort();
        reject(new Error('it takes too long'));
      }, this.patienceMs);
    });
    try {
      if (this.hanging) throw new Error('it still hangs');
      const working = work(patience.signal).finally(() => {
        this.hanging = false;
      });
      return await Promise.race([working, late]);
    } catch (error) {
      const code = codeOf(error);
      const why = code === 'ENOENT' ? 'its folder is not there' : (code ?? (error as Error).message);
      throw new MarkUnusable(`the high-water mark ${this.path} cannot be ${done}: ${why}`);
    } finally {
      clearTimeout(timer);
    }
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
