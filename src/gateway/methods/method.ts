import type { Views } from '../../../projections/index.js';
import type { Codec } from '../../codec.js';
import type { Settings } from '../../config/settings.js';
import type { Command } from '../../decisions/decision.js';
import type { Principal } from '../../decisions/principal.js';
import type { Refusal } from '../../errors.js';
import type { Subsystem } from '../../logging/logging.js';
import type { Clock } from '../../ports.js';
import type { Snapshot } from '../hello.js';
import type { PairList } from '../pair-list.js';
import type { Parts } from '../parts.js';
import type { Session } from '../session.js';

/** Who calls, and with what at hand. */
export interface Call {
  readonly session: Session;
  readonly by: Principal;
  readonly parts: Parts;
}

/** What a read may look at: every process of a gateway has this much, also one that does not write the log. */
export interface Readable {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: { readonly gateway: Pick<Subsystem, 'error'> };
  readonly ledger: { readonly views: Views };
  readonly snapshot: Snapshot;
  readonly pairList: Pick<PairList, 'for'>;
}

export interface ReadCall extends Omit<Call, 'parts'> {
  readonly parts: Readable;
}

/**
 * How a method answers: at once, with a no, with what the log makes of a command, or later with one of these. It never sends, broadcasts or
 * closes anything.
 */
export type Reply =
  | { readonly answer: unknown }
  | { readonly refuse: Refusal }
  | { readonly later: Promise<Reply> }
  /** Answered twice: that it was accepted, and later with what came of it. */
  | { readonly accepted: unknown; readonly later: Promise<Reply> }
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own answer; the dispatcher only encodes it.
  | { readonly commit: Command<any> };

export interface Method {
  // biome-ignore lint/suspicious/noExplicitAny: checked by the codec beside it before `run` sees it.
  readonly params: Codec<any>;
  /** The whole text for params that do not fit, where clients know another than the usual one. */
  readonly invalid?: string;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly run: (params: any, call: Call) => Reply;
  /** Answers from what is readable everywhere; undefined where that does not do. Without it only the process that writes the log can answer. */
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly read?: (params: any, call: ReadCall) => Reply | undefined;
}

/** Methods by name. */
export type Family = Readonly<Record<string, Method>>;

export const method = <P>(params: Codec<P>, run: (params: P, call: Call) => Reply, invalid?: string): Method =>
  invalid === undefined ? { params, run } : { params, run, invalid };

/** One that only looks. */
export const read = <P>(params: Codec<P>, run: (params: P, call: ReadCall) => Reply): Method => ({
  params,
  run,
  read: run,
});

export const answer = (payload: unknown): Reply => ({ answer: payload });
export const refuse = (refusal: Refusal): Reply => ({ refuse: refusal });
export const later = (reply: Promise<Reply>): Reply => ({ later: reply });
export const commit = <A>(command: Command<A>): Reply => ({ commit: command });
