import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Refusal, refusal } from '../errors.js';
import { checkpointText, openCheckpoint, type SignedCheckpoint } from '../proof/checkpoint.js';
import { type Note, noteText, type Signature, type Vkey } from '../proof/note.js';
import { LedgerDamaged } from './damage.js';
import { type Fork, forkOf, LogForked } from './fork.js';
import { type HighWaterMark, MarkUnusable } from './high-water.js';
import type { Ledger } from './ledger.js';

/** Signs as the log of one origin. */
export interface Signer {
  readonly vkey: Vkey;
  sign(text: string): Signature;
}

export interface CheckpointsOptions {
  readonly ledger: Ledger;
  /** Names a log that has signed nothing yet, for ever. */
  readonly newOrigin: () => string;
  readonly signer: (origin: string) => Signer;
  /** Undefined: nobody would notice that an older copy of the log was put in its place. */
  readonly mark: HighWaterMark | undefined;
}

/**
 * What the log says of itself, signed: its size and the root of its tree. Signed is only what is on the disk, and in this order:
 * the mark outside is raised, then the checkpoint is kept beside the log, and only then does anybody see it. A crash in between leaves
 * a mark that this very log is able to reach again.
 */
export class Checkpoints {
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly ledger: Ledger,
    readonly signer: Signer,
    private readonly mark: HighWaterMark | undefined,
    /** What the mark said when it was last seen. */
    private marked: string | undefined,
    private last: SignedCheckpoint | undefined,
  ) {}

  /** Throws LogForked where the mark has seen another log than this, and LedgerDamaged where the log is not what it signed last. */
  static async begin(options: CheckpointsOptions): Promise<Checkpoints> {
    const { fork, checkpoints } = await Checkpoints.found(options);
    if (fork !== undefined && options.mark !== undefined) throw new LogForked(fork, options.mark.path);
    return checkpoints;
  }

  /** Goes on with this log although the mark has seen another, once `record` has put that on the record. Left: there is nothing to accept, or it could not be recorded. */
  static async accept(
    options: CheckpointsOptions,
    record: (fork: Fork) => Promise<Either<Refusal, number>>,
  ): Promise<Either<Refusal, { readonly fork: Fork; readonly event: number; readonly note: string }>> {
    const { fork, checkpoints } = await Checkpoints.found(options);
    if (fork === undefined) return E.left(refusal('no-fork'));
    const event = await record(fork);
    if (E.isLeft(event)) return event;
    return E.map((note: string) => ({ fork, event: event.right, note }))(
      await checkpoints.inTurn(() => checkpoints.sign()),
    );
  }

  private static async found({ ledger, signer, newOrigin, mark }: CheckpointsOptions): Promise<Found> {
    const last = keptBy(ledger);
    const marked = await mark?.read();
    const origin = last?.checkpoint.origin ?? originIn(marked, ledger) ?? newOrigin();
    const fork = mark === undefined ? undefined : forkOf(marked, origin, ledger);
    return { fork, checkpoints: new Checkpoints(ledger, signer(origin), mark, marked, last) };
  }

  get origin(): string {
    return this.signer.vkey.name;
  }

  /** The mark did not say anything yet, or there is none. */
  get unmarked(): boolean {
    return this.marked === undefined;
  }

  /** The last one; undefined before the first. */
  get latest(): SignedCheckpoint | undefined {
    return this.last;
  }

  /** A checkpoint of a log that has this event: the last one, or one that is made now. */
  upTo(seq: number): Promise<Either<Refusal, string>> {
    return this.inTurn(async () => {
      if (this.last !== undefined && this.last.checkpoint.size >= seq) return E.right(noteText(this.last.note));
      return this.sign();
    });
  }

  /** A checkpoint of all that is in the log now. */
  now(): Promise<Either<Refusal, string>> {
    return this.upTo(this.ledger.tip.size);
  }

  /** Others have signed it too: their signatures are kept with it, if it is still the last. */
  cosigned({ text }: Note, signatures: readonly Signature[]): Promise<void> {
    return this.inTurn(async () => {
      if (this.last?.note.text !== text) return;
      const known = this.last.note.signatures;
      const added = signatures.filter((one) => !known.some(({ name, id }) => name === one.name && id === one.id));
      const note = { text, signatures: [...known, ...added] };
      if (this.ledger.keep(noteText(note))) this.last = { ...this.last, note };
    });
  }

  private async sign(): Promise<Either<Refusal, string>> {
    const { size, root } = this.ledger.tip;
    const text = checkpointText({ origin: this.origin, size, root: Buffer.from(root, 'hex') });
    const note = { text, signatures: [this.signer.sign(text)] };
    const signed = noteText(note);
    const refused = await this.raise(signed);
    if (refused !== undefined) return E.left(refused);
    if (!this.ledger.keep(signed, this.mark !== undefined)) return E.left(refusal('log-not-writable'));
    const opened = openCheckpoint(signed);
    if (E.isRight(opened)) this.last = opened.right;
    return E.right(signed);
  }

  /** Why the mark could not be raised. Where it says what nobody here wrote, this process signs for nothing more. */
  private async raise(signed: string): Promise<Refusal | undefined> {
    if (this.mark === undefined) return undefined;
    try {
      if (await this.mark.raise(this.marked, signed)) {
        this.marked = signed;
        return undefined;
      }
    } catch (error) {
      if (error instanceof MarkUnusable) return refusal('mark-unusable', error.message);
      throw error;
    }
    this.ledger.halt(`${this.mark.path} was changed by others: another process signs for a copy of this log`);
    return refusal('log-not-writable');
  }

  /** One after the other. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => {});
    return done;
  }
}

interface Found {
  readonly fork: Fork | undefined;
  readonly checkpoints: Checkpoints;
}

/** A log that was cut short between its first mark and its first checkpoint is called what the mark says, if it is its mark. */
const originIn = (marked: string | undefined, ledger: Ledger): string | undefined => {
  const opened = marked === undefined ? undefined : openCheckpoint(marked);
  if (opened === undefined || E.isLeft(opened)) return undefined;
  const { origin, size, root } = opened.right.checkpoint;
  return size <= ledger.tip.size && ledger.rootAt(size).equals(root) ? origin : undefined;
};

/** The checkpoint that was kept last, which has to be one of this log. */
const keptBy = (ledger: Ledger): SignedCheckpoint | undefined => {
  const text = ledger.checkpoint;
  if (text === undefined) return undefined;
  const opened = openCheckpoint(text);
  if (E.isLeft(opened)) throw new LedgerDamaged(`its last checkpoint is ${opened.left}`, undefined);
  const { size, root } = opened.right.checkpoint;
  if (size > ledger.tip.size || !ledger.rootAt(size).equals(root))
    throw new LedgerDamaged('it is not the log that its last checkpoint was signed for', undefined);
  return opened.right;
};
