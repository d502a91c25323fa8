import * as E from 'fp-ts/lib/Either.js';
import type { Store } from '../../ledger/store.js';
import { openCheckpoint, type SignedCheckpoint } from '../../proof/checkpoint.js';

/** The last signed checkpoint, where the log is only read. */
export class KeptCheckpoint {
  private text: string | undefined;
  private opened: SignedCheckpoint | undefined;

  constructor(private readonly store: Store) {}

  get latest(): SignedCheckpoint | undefined {
    this.store.refresh();
    const text = this.store.checkpoint();
    if (text !== this.text) {
      this.text = text;
      const opened = text === undefined ? undefined : openCheckpoint(text);
      this.opened = opened !== undefined && E.isRight(opened) ? opened.right : undefined;
    }
    return this.opened;
  }
}
