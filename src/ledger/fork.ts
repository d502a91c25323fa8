import * as E from 'fp-ts/lib/Either.js';
import { openCheckpoint } from '../proof/checkpoint.js';
import type { Ledger } from './ledger.js';

/** How a log differs from what the mark has seen of it. Roots in hex. */
export interface Fork {
  /**
   * It lacks events that the mark has seen; it has others in their place; it is another log altogether; what the mark says is no checkpoint;
   * or the mark is not there, although this log was signed for against one.
   */
  readonly kind: 'rolled-back' | 'forked' | 'another-log' | 'unreadable' | 'mark-missing';
  readonly mark: { readonly origin: string; readonly size: number; readonly root: string };
  readonly log: { readonly size: number; readonly root: string };
}

/** The log is not the one that was signed for last. It was not opened for anybody, and nothing was written. */
export class LogForked extends Error {
  override readonly name = 'LogForked';
  constructor(
    readonly fork: Fork,
    path: string,
  ) {
    super(`${WORDS[fork.kind](fork)} (high-water mark ${path})`);
  }
}

const WORDS: { readonly [K in Fork['kind']]: (fork: Fork) => string } = {
  'rolled-back': ({ mark, log }) =>
    `the log was rolled back: ${mark.size} events were signed for, and it ends with event ${log.size}`,
  forked: ({ mark }) => `the log has two histories: its first ${mark.size} events are not those that were signed for`,
  'another-log': ({ mark }) => `this is another log than ${mark.origin}, which was signed for`,
  unreadable: () => 'what the high-water mark says is no checkpoint',
  'mark-missing': () =>
    'the high-water mark is not there, so nobody can say whether this is an older copy: is its disk mounted?',
};

/** What is known of a mark that says nothing. */
const NOTHING = { origin: '', size: 0, root: '' };

/** Undefined if the log has everything that the mark has seen, or may yet have written it when it was cut short. */
export const forkOf = (
  marked: string | undefined,
  origin: string,
  ledger: Pick<Ledger, 'tip' | 'rootAt' | 'wasMarked'>,
): Fork | undefined => {
  const log = ledger.tip;
  if (marked === undefined) return ledger.wasMarked ? { kind: 'mark-missing', mark: NOTHING, log } : undefined;
  const opened = openCheckpoint(marked);
  if (E.isLeft(opened)) return { kind: 'unreadable', mark: NOTHING, log };
  const { checkpoint } = opened.right;
  const mark = { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root.toString('hex') };
  if (mark.origin !== origin) return { kind: 'another-log', mark, log };
  if (mark.size > log.size) return { kind: 'rolled-back', mark, log };
  return ledger.rootAt(mark.size).equals(checkpoint.root) ? undefined : { kind: 'forked', mark, log };
};
