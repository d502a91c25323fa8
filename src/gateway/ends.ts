import { type Close, closeCode } from '../protocol/close-codes.js';

/** How a connection ends that was never let in, and under which reason that is recorded. */
export interface End {
  readonly reason: string;
  readonly close: Close;
}

const closing = (code: number, text = ''): Close => ({ code, reason: text });

/** Ends that are no answer to a connect. */
export const ends = {
  tooLarge: { reason: 'preauth-payload-too-large', close: closing(closeCode.tooBig, 'preauth payload too large') },
  invalidFrame: { reason: 'invalid-frame', close: closing(closeCode.policy, 'invalid request frame') },
  notJson: { reason: 'not-json', close: closing(closeCode.normal) },
  silent: { reason: 'handshake-timeout', close: closing(closeCode.normal) },
  displaced: {
    reason: 'preauth-displaced',
    close: closing(closeCode.tryAgainLater, 'too many connections wait; try again'),
  },
} as const satisfies Record<string, End>;

/** It went by itself. */
export const LEFT = 'closed-before-connect';
