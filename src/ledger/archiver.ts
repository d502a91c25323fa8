import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { RETENTION } from '../../projections/index.js';
import { archive, isMovable } from '../decisions/archive.js';
import type { Principal } from '../decisions/principal.js';
import { type Refusal, refusal } from '../errors.js';
import { flushFolder, placeFile } from '../files.js';
import { limits } from '../limits.js';
import { archiveFolder } from './archive.js';
import type { Ledger } from './ledger.js';
import { bestCompression, type Compression, framed, type Moved, named, seal, segmentName } from './segment.js';

/** What to move. */
export interface Wanted {
  /** Ticks and connections up to this time (ms). */
  readonly before: number;
  readonly by: Principal;
  /** Only say what would be moved. */
  readonly dryRun?: boolean | undefined;
}

/** A segment that was made, or that would be. */
export interface MadeSegment {
  readonly segment: string;
  readonly from: number;
  readonly to: number;
  readonly events: number;
  /** Of the file. */
  readonly bytes: number;
  /** Of the events in it. */
  readonly rawBytes: number;
}

export interface Archived {
  readonly segments: readonly MadeSegment[];
  readonly events: number;
}

export interface ArchiverOptions {
  readonly ledger: Ledger;
  /** For tests that want another than the best. */
  readonly compression?: Compression;
  /** For tests that want small segments. */
  readonly segment?: { readonly events: number; readonly bytes: number };
}

const SEGMENT = { events: limits.archive.segmentEvents, bytes: limits.archive.segmentBytes };

/**
 * Moves events of little value from the log to files, segment by segment: the file is written, flushed, read back and compared before one
 * commit says where they are and takes them from the log. A crash in between leaves a file that nobody refers to, and the next run
 * takes it away. One run at a time; whoever comes meanwhile waits for its turn.
 */
export class Archiver {
  private readonly ledger: Ledger;
  private readonly compression: Compression;
  private readonly most: { readonly events: number; readonly bytes: number };
  private readonly folder: string;
  private turn: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor({ ledger, compression = bestCompression, segment = SEGMENT }: ArchiverOptions) {
    this.ledger = ledger;
    this.compression = compression;
    this.most = segment;
    this.folder = archiveFolder(ledger);
  }

  run(wanted: Wanted): Promise<Either<Refusal, Archived>> {
    const run = this.turn.then(() => this.move(wanted));
    this.turn = run.catch(() => {});
    return run;
  }

  /** Ends with the segment that is being made. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.turn;
  }

  private async move(wanted: Wanted): Promise<Either<Refusal, Archived>> {
    const refused = this.refusal(wanted);
    if (refused !== undefined) return E.left(refused);
    if (wanted.dryRun !== true) this.removeOrphans();
    const segments: MadeSegment[] = [];
    let after = this.ledger.views.retention.get(RETENTION)?.upTo ?? 0;
    while (!this.stopped && this.refusal(wanted) === undefined) {
      const moved = await this.gather(after, wanted.before);
      if (moved.length === 0) break;
      const made = await this.make(moved, wanted);
      if (E.isLeft(made) && segments.length === 0) return made;
      if (E.isLeft(made)) break;
      segments.push(made.right);
      after = made.right.to;
      await others();
    }
    return E.right({ segments, events: segments.reduce((sum, { events }) => sum + events, 0) });
  }

  /** Why nothing may be moved now. While it is not known what the last commit left on the disk, no file may go either. */
  private refusal({ dryRun }: Wanted): Refusal | undefined {
    if (dryRun === true) return undefined;
    const { health, views } = this.ledger;
    if (!health.writable) return refusal('log-not-writable');
    return views.retention.get(RETENTION)?.hold === undefined ? undefined : refusal('archive-held');
  }

  /** Events for the next segment. Those that the index does not hold yet stay where it reads them. */
  private async gather(after: number, before: number): Promise<readonly Moved[]> {
    const moved: Moved[] = [];
    let read = 0;
    let size = 0;
    for (const { event, bytes } of this.ledger.log.stored({ after, upTo: this.ledger.log.indexed })) {
      if (event.at > before || moved.length === this.most.events) break;
      if (++read % limits.archive.readChunk === 0) await others();
      if (this.stopped) return [];
      if (!isMovable(event.type)) continue;
      size += bytes.length;
      if (size > this.most.bytes && moved.length > 0) break;
      moved.push({ seq: event.seq, bytes });
    }
    return moved;
  }

  private async make(moved: readonly Moved[], { by, dryRun }: Wanted): Promise<Either<Refusal, MadeSegment>> {
    const { encoding, pack } = this.compression;
    const from = moved[0]?.seq ?? 0;
    const to = moved.at(-1)?.seq ?? 0;
    const raw = framed(moved);
    await others();
    const file = await pack(raw);
    const sealed = {
      segment: segmentName(from, to, encoding),
      from,
      to,
      events: moved.length,
      encoding,
      bytes: file.length,
      sha256: seal(file),
    };
    const { segment, events, bytes } = sealed;
    const made = { segment, from, to, events, bytes, rawBytes: raw.length };
    if (dryRun === true) return E.right(made);
    await this.place(segment, file, raw);
    return this.ledger.archive(
      { decide: (views) => archive(views, { sealed, by }), answer: () => made },
      moved.map(({ seq }) => seq),
    );
  }

  /** The file is on the disk, and what is read back from it is what was to be written. */
  private async place(segment: string, file: Buffer, raw: Buffer): Promise<void> {
    const path = join(this.folder, segment);
    if (mkdirSync(this.folder, { recursive: true, mode: 0o700 }) !== undefined) await flushFolder(dirname(this.folder));
    await placeFile(path, file, 0o600);
    const back = await readFile(path);
    if (back.equals(file) && raw.equals(await this.compression.unpack(back))) return;
    throw new Error(`${path} does not read back as it was written; nothing was taken from the log`);
  }

  /** Files of which the log does not know: what they hold still lies in it. One whose events are gone is never touched. */
  private removeOrphans(): void {
    const known = new Set([...this.ledger.views.archives.entries()].map(([, { segment }]) => segment));
    for (const file of this.files()) {
      const name = known.has(file) ? undefined : named(file);
      if (name !== undefined && (name.unfinished || this.isStored(name.from)))
        rmSync(join(this.folder, file), { force: true });
    }
  }

  private files(): readonly string[] {
    try {
      return readdirSync(this.folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  private isStored(seq: number): boolean {
    for (const { event } of this.ledger.log.stored({ after: seq - 1, upTo: seq })) return event.seq === seq;
    return false;
  }
}

/** Others get their turn of the loop. */
const others = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
