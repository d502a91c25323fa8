import { type ChildProcess, fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../attempt.js';
import { type Refusal, refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { Setting } from './evidence.js';
import type { QuestionName, Told } from './questions.js';

/** A question on its way to a reader, and what comes back. */
export interface Asked {
  readonly id: number;
  readonly question: QuestionName;
  readonly params: unknown;
  readonly setting: Setting;
  readonly now: number;
}

export type Replied = { readonly id: number } & (
  | { readonly told: Told }
  | { readonly refused: Refusal }
  | { readonly failed: string; readonly damaged: boolean }
);

type Outcome = Either<Refusal, Told>;

interface Waiting extends Omit<Asked, 'id'> {
  readonly urgent: boolean;
  readonly settle: (outcome: Outcome) => void;
}

export interface DeskOptions {
  /** Folder of the log. */
  readonly path: string;
  readonly clock: Clock;
  readonly setting: Setting;
}

const PROGRAM = fileURLToPath(new URL('./reader-process.js', import.meta.url));

/** Where questions are handed in. A few readers answer them, begun when they are needed and let go when they are not; what waits is bounded. */
export class Desk {
  private readonly readers = new Set<Reader>();
  private readonly queue: Waiting[] = [];
  private stopped = false;

  constructor(private readonly options: DeskOptions) {}

  /** What is urgent goes first, and has a reader that nothing else may use. */
  ask(question: QuestionName, params: unknown, how: 'urgent' | 'in turn' = 'in turn'): Promise<Outcome> {
    const urgent = how === 'urgent';
    if (this.stopped || (!urgent && this.queue.length >= limits.forensics.waiting))
      return Promise.resolve(E.left(refusal('evidence-busy')));
    const { setting, clock } = this.options;
    return new Promise((settle) => {
      const waiting = { question, params, setting, now: clock.now(), urgent, settle };
      if (urgent) this.queue.unshift(waiting);
      else this.queue.push(waiting);
      this.serve();
    });
  }

  stop(): void {
    this.stopped = true;
    for (const { settle } of this.queue.splice(0)) settle(E.left(refusal('evidence-busy')));
    for (const reader of this.readers) reader.end();
  }

  private serve(): void {
    while (this.queue.length > 0) {
      const [next] = this.queue;
      const reader = this.idleReader(next?.urgent === true);
      if (reader === undefined || next === undefined) return;
      this.queue.shift();
      reader.answer(next);
    }
  }

  private idleReader(urgent: boolean): Reader | undefined {
    const most = limits.forensics.readers + (urgent ? 1 : 0);
    const busy = [...this.readers].filter((reader) => reader.busy);
    if (busy.length >= most) return undefined;
    for (const reader of this.readers) if (!reader.busy) return reader;
    const reader: Reader = new Reader(this.options.path, {
      free: () => this.serve(),
      gone: () => {
        this.readers.delete(reader);
        this.serve();
      },
    });
    this.readers.add(reader);
    return reader;
  }
}

/** One reading process: it has one question at a time. */
class Reader {
  private readonly child: ChildProcess;
  private waiting: Waiting | undefined;
  private timer: NodeJS.Timeout | undefined;
  private asked = 0;
  private over = false;

  constructor(
    path: string,
    private readonly tell: { readonly free: () => void; readonly gone: () => void },
  ) {
    /* It needs nothing of our environment, where a secret may be. */
    this.child = fork(PROGRAM, [path], {
      env: {},
      execArgv: [`--max-old-space-size=${limits.forensics.readerMemoryMiB}`],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    /* Connections come first where there are more questions than processors. */
    attempt(() => setPriority(this.child.pid ?? 0, constants.priority.PRIORITY_LOW));
    this.child.unref();
    this.child.channel?.unref();
    this.child.on('message', (replied: Replied) => this.hear(replied));
    this.child.on('error', () => this.leave());
    this.child.on('exit', () => this.leave());
  }

  get busy(): boolean {
    return this.waiting !== undefined || this.over;
  }

  answer(waiting: Waiting): void {
    const { settle: _, urgent: __, ...asked } = waiting;
    this.waiting = waiting;
    this.child.channel?.ref();
    this.wait(limits.forensics.questionMs);
    this.child.send({ id: ++this.asked, ...asked } satisfies Asked);
  }

  end(): void {
    this.over = true;
    this.child.kill('SIGKILL');
  }

  private hear(replied: Replied): void {
    if (replied.id === this.asked) this.settle(outcomeOf(replied));
    this.wait(limits.forensics.idleMs);
    this.tell.free();
  }

  /** A question that takes too long, and a reader that nobody needs any more, end alike. */
  private wait(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.end(), ms).unref();
  }

  private leave(): void {
    this.over = true;
    clearTimeout(this.timer);
    this.settle(
      E.left(refusal('evidence-unreadable', 'the log cannot be read: the reader ended before it had answered')),
    );
    this.tell.gone();
  }

  private settle(outcome: Outcome): void {
    const { waiting } = this;
    this.waiting = undefined;
    this.child.channel?.unref();
    waiting?.settle(outcome);
  }
}

const outcomeOf = (replied: Replied): Outcome => {
  if ('told' in replied) return E.right(replied.told);
  return E.left(
    'refused' in replied
      ? replied.refused
      : refusal('evidence-unreadable', `the log cannot be read: ${replied.failed}`),
  );
};
