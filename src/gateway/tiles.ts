import type { Checkpoints } from '../ledger/checkpoints.js';
import { isDamage } from '../ledger/damage.js';
import { CHECKPOINT, fileAt } from '../ledger/log-files.js';
import type { Reader } from '../ledger/reader.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { HttpAnswer } from '../transport/transport.js';
import { NOT_ALLOWED, NOT_FOUND, refused } from './json-answer.js';
import { WorkBudget } from './work-budget.js';

/*
 * The log for whoever wants to check it (C2SP tlog-tiles): `GET /checkpoint` and `GET /tile/…`, up to the last signed checkpoint. Anybody who
 * reaches the port may read, and so the work is bounded: a request reads 256 events at most, and unpacks a segment of the archive or
 * two, and all of them together have a share of the loop.
 */

export interface TilesOptions {
  readonly clock: Clock;
  readonly log: Reader;
  readonly checkpoints: Pick<Checkpoints, 'latest'>;
  /** Told once: a part of the log cannot be read. */
  readonly damaged: (error: Error) => void;
}

const ROOT = '/';
const FOLDER = '/tile/';

/** The same bytes for ever: the width of a tile is in its name. */
const FOR_EVER = { 'cache-control': 'public, max-age=31536000, immutable' };
const CHANGES = { 'cache-control': 'no-cache' };

export class Tiles {
  private readonly budget: WorkBudget;
  private told = false;

  constructor(private readonly options: TilesOptions) {
    this.budget = new WorkBudget(options.clock, limits.tiles.workMs);
  }

  /** Undefined where the path is none of a log. */
  answer(method: string, path: string, source: string): HttpAnswer | undefined {
    if (path !== ROOT + CHECKPOINT && !path.startsWith(FOLDER)) return undefined;
    if (method !== 'get' && method !== 'head') return NOT_ALLOWED;
    const wait = this.budget.wait(source);
    if (wait.source > 0) return later('429 Too Many Requests', wait.source);
    if (wait.all > 0) return later('503 Service Unavailable', wait.all);
    const { clock } = this.options;
    const begun = clock.monotonic();
    try {
      return this.file(path.slice(ROOT.length));
    } finally {
      this.budget.spend(source, limits.tiles.requestMs + clock.monotonic() - begun);
    }
  }

  private file(path: string): HttpAnswer {
    const { log, checkpoints, damaged } = this.options;
    const { latest } = checkpoints;
    if (latest === undefined) return NOT_FOUND;
    try {
      const body = fileAt(log, latest, path);
      if (body === undefined) return NOT_FOUND;
      return path === CHECKPOINT
        ? { status: '200 OK', type: 'text/plain; charset=utf-8', body, headers: CHANGES }
        : { status: '200 OK', type: 'application/octet-stream', body, headers: FOR_EVER };
    } catch (error) {
      if (!isDamage(error)) throw error;
      if (!this.told) damaged(error as Error);
      this.told = true;
      return refused('500 Internal Server Error', 'damaged', 'this part of the log cannot be read');
    }
  }
}

const later = (status: string, seconds: number): HttpAnswer =>
  refused(status, 'tiles_limit', 'the log is being read a lot; go on later', { 'retry-after': String(seconds) });
