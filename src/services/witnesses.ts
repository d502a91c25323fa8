import * as E from 'fp-ts/lib/Either.js';
import type { WitnessSetting } from '../config/witnesses.js';
import type { Checkpoints } from '../ledger/checkpoints.js';
import type { Reader } from '../ledger/reader.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { openCheckpoint, type SignedCheckpoint } from '../proof/checkpoint.js';
import { claimedBy, noteText } from '../proof/note.js';
import { majorityOf } from '../proof/policy.js';
import { consistencyProof } from '../proof/tree-proof.js';
import { addCheckpoint, type WitnessAnswer, witnessAnswer } from '../proof/witness.js';
import { post } from './witness-request.js';

/*
 * Others who sign what the log says of itself (C2SP tlog-witness), once they have seen that it is consistent with all that it said before.
 * Nothing waits for them: the log goes on, and a checkpoint is what it is without them.
 */

export interface WitnessesOptions {
  readonly clock: Clock;
  readonly log: Reader;
  readonly checkpoints: Pick<Checkpoints, 'latest' | 'cosigned'>;
  readonly witnesses: readonly WitnessSetting[];
  /** It does not cosign. Told once, and again only after it did in between. */
  readonly failed: (witness: string, why: string) => void;
  /** It knows another past of this log. Told once, and again only after it cosigned in between. */
  readonly contradicted: (witness: string, why: string) => void;
}

/** Asks each witness about each new checkpoint, the newest where it is slower than the log. */
export class Witnesses {
  private readonly ended = new AbortController();
  private readonly witnesses: readonly Witness[];
  private begun = false;

  constructor(private readonly options: WitnessesOptions) {
    this.witnesses = options.witnesses.map((setting) => new Witness(setting, options, this.ended.signal));
  }

  /** What it returns ends it. */
  begin(): () => void {
    const { clock, checkpoints } = this.options;
    if (this.witnesses.length === 0) return () => {};
    this.begun = true;
    const stop = clock.every(limits.witnesses.lookMs, () => {
      const { latest } = checkpoints;
      if (latest !== undefined && latest.checkpoint.size > 0)
        for (const witness of this.witnesses) witness.look(latest);
    });
    return () => {
      this.begun = false;
      stop();
      this.ended.abort();
    };
  }

  /**
   * A checkpoint as it is handed out: cosigned by as many as the policy asks for, or one that came after it and is; as it was if there are
   * not so many witnesses that answer, or not in time.
   */
  cosigned(signed: string): Promise<string> {
    const opened = openCheckpoint(signed);
    const needed = majorityOf(this.witnesses.length);
    if (!this.begun || E.isLeft(opened) || this.witnesses.filter(({ answers }) => answers).length < needed)
      return Promise.resolve(signed);
    const { clock, checkpoints } = this.options;
    return new Promise((resolve) => {
      const look = (): void => {
        const { latest } = checkpoints;
        if (latest === undefined || latest.checkpoint.size < opened.right.checkpoint.size) return;
        if (this.witnesses.filter((witness) => witness.hasCosigned(latest)).length >= needed)
          settle(noteText(latest.note));
      };
      const stops = [
        clock.every(limits.witnesses.lookMs, look),
        clock.after(limits.witnesses.waitMs, () => settle(signed)),
      ];
      const settle = (text: string): void => {
        for (const stop of stops) stop();
        resolve(text);
      };
      look();
    });
  }
}

type Outcome = WitnessAnswer | { readonly kind: 'contradicted'; readonly why: string };

class Witness {
  /** Events of the last checkpoint that it has seen, as far as is known: it says so itself where that is wrong. */
  private size = 0;
  private busy = false;
  private failures = 0;
  private notBefore = 0;
  private told: 'failed' | 'contradicted' | undefined;

  constructor(
    private readonly setting: WitnessSetting,
    private readonly options: WitnessesOptions,
    private readonly ended: AbortSignal,
  ) {}

  look(latest: SignedCheckpoint): void {
    if (this.busy || this.options.clock.monotonic() < this.notBefore) return;
    if (this.hasCosigned(latest)) this.size = latest.checkpoint.size;
    else void this.turn(latest);
  }

  /** As far as is known. */
  get answers(): boolean {
    return this.failures === 0;
  }

  hasCosigned({ note }: SignedCheckpoint): boolean {
    return claimedBy(note, this.setting.vkey).length > 0;
  }

  private async turn(latest: SignedCheckpoint): Promise<void> {
    this.busy = true;
    try {
      await this.settle(await this.asked(latest), latest);
    } catch (error) {
      if (!this.ended.aborted) this.failed({ kind: 'refused', why: (error as Error).message });
    } finally {
      this.busy = false;
    }
  }

  /** Asks, and once more where it turns out to have another size than was thought. */
  private async asked(latest: SignedCheckpoint): Promise<Outcome> {
    const first = await this.ask(latest);
    if (first.kind !== 'other size' || first.size === this.size) return first;
    this.size = first.size;
    return this.ask(latest);
  }

  private async ask({ note, checkpoint }: SignedCheckpoint): Promise<Outcome> {
    const { log, clock } = this.options;
    const proof = consistencyProof(this.size, checkpoint.size, log.nodes(checkpoint.size));
    const body = addCheckpoint(this.size, proof, note);
    const { status, body: said } = await post(`${this.setting.url}/add-checkpoint`, body, clock, this.ended);
    const answer = witnessAnswer(status, said, note, this.setting.vkey);
    const why = contradiction(answer, status, this.size, checkpoint.size);
    return why === undefined ? answer : { kind: 'contradicted', why };
  }

  private async settle(outcome: Outcome, { note, checkpoint }: SignedCheckpoint): Promise<void> {
    if (outcome.kind !== 'cosigned') return this.failed(outcome);
    this.size = checkpoint.size;
    this.failures = 0;
    this.told = undefined;
    await this.options.checkpoints.cosigned(note, outcome.signatures);
  }

  private failed(outcome: Exclude<Outcome, { kind: 'cosigned' }>): void {
    const { clock, failed, contradicted } = this.options;
    const { pauseMs, longestPauseMs } = limits.witnesses;
    this.notBefore = clock.monotonic() + Math.min(longestPauseMs, pauseMs * 2 ** this.failures++);
    const { name } = this.setting.vkey;
    if (outcome.kind === 'contradicted') {
      if (this.told !== 'contradicted') contradicted(name, outcome.why);
      this.told = 'contradicted';
    } else {
      if (this.told === undefined) failed(name, outcome.kind === 'refused' ? outcome.why : oddSize(outcome.size));
      this.told ??= 'failed';
    }
  }
}

const oddSize = (size: number): string => `it has ${size} events, and does not go on from there`;

/**
 * What an answer says against this log, if it does: more events than there are, or that one tree is not the beginning of the other, asked
 * from the size that the witness said it has. Never taken for a fault of the line.
 */
const contradiction = (answer: WitnessAnswer, status: number, from: number, size: number): string | undefined => {
  if (answer.kind === 'cosigned') return undefined;
  if (answer.kind === 'other size') {
    if (answer.size > size) return `it has seen ${answer.size} events of this log, which has ${size}`;
    return answer.size === from && from === size ? `it has seen ${size} other events` : undefined;
  }
  const conflict = from > 0 && (status === 422 || (status === 409 && from === size));
  return conflict ? `what it has seen, ${from} events, is not the beginning of this log` : undefined;
};
