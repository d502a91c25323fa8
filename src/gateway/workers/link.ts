/** One end of the channel between two processes: what is said in one turn of the loop travels together. */
export class Link<Out> {
  private waiting: Out[] = [];

  /** `send` is that of the process or of its child; false once the other end is gone. */
  constructor(private readonly send: (batch: readonly Out[]) => void) {}

  say(message: Out): void {
    if (this.waiting.push(message) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    const batch = this.waiting;
    if (batch.length === 0) return;
    this.waiting = [];
    this.send(batch);
  }
}
