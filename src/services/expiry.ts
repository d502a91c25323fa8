import * as E from 'fp-ts/lib/Either.js';
import { sweep } from '../decisions/sweep.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';

const AT_ONCE = 500;

/** What only time ends becomes an event soon after: requests that nobody decided, and the graces of replaced tokens. */
export const beginExpiry = ({ clock, ledger }: { readonly clock: Clock; readonly ledger: Ledger }): (() => void) =>
  clock.every(limits.pairing.sweepMs, () => {
    const { pending, graces } = ledger.views;
    if (pending.size() === 0 && graces.size() === 0) return;
    ledger.commit(
      { decide: (views, moment) => E.right(sweep(views, moment, AT_ONCE)), answer: () => undefined },
      () => {},
    );
  });
