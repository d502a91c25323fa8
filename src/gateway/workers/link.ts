import { limits } from '../../limits.js';

/** `send` of the process or of its child, if the other end is there: false if the batch waits; `taken` is called when it does not. */
type Send<Out> = (batch: readonly Out[], taken: () => void) => boolean;

/** One end of the channel between two processes: what is said in one turn of the loop travels together. */
export class Link<Out> {
  private waiting: Out[] = [];
  private behind = 0;

  constructor(
    private readonly send: Send<Out>,
    private readonly overfull: () => void = () => {},
  ) {}

  /** The other end is behind by more than may wait. */
  get isFull(): boolean {
    return this.behind > limits.workers.channelBytes;
  }

  say(message: Out): void {
    if (this.waiting.push(message) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    const batch = this.waiting;
    if (batch.length === 0) return;
    this.waiting = [];
    let bytes = 0;
    const went = this.send(batch, () => {
      this.behind -= bytes;
    });
    if (went) return;
    /* Measured only now: an end that keeps up costs nothing to count. */
    bytes = JSON.stringify(batch).length;
    this.behind += bytes;
    if (this.isFull) this.overfull();
  }
}
