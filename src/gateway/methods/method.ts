import type { Codec } from '../../codec.js';
import type { Command } from '../../decisions/decision.js';
import type { Principal } from '../../decisions/principal.js';
import type { Refusal } from '../../errors.js';
import type { Parts } from '../parts.js';
import type { Session } from '../session.js';

/** Who calls, and with what at hand. */
export interface Call {
  readonly session: Session;
  readonly by: Principal;
  readonly parts: Parts;
}

/** How a method answers: at once, with a no, with what the log makes of a command, or later with one of these. It never sends, broadcasts or closes anything. */
export type Reply =
  | { readonly answer: unknown }
  | { readonly refuse: Refusal }
  // biome-ignore lint/suspicious/noExplicitAny: each command has its own answer; the dispatcher only encodes it.
  | { readonly commit: Command<any> }
  | { readonly later: Promise<Reply> };

export interface Method {
  // biome-ignore lint/suspicious/noExplicitAny: checked by the codec beside it before `run` sees it.
  readonly params: Codec<any>;
  /** The whole text for params that do not fit, where clients know another than the usual one. */
  readonly invalid?: string;
  // biome-ignore lint/suspicious/noExplicitAny: see above.
  readonly run: (params: any, call: Call) => Reply;
}

/** Methods by name. */
export type Family = Readonly<Record<string, Method>>;

export const method = <P>(params: Codec<P>, run: (params: P, call: Call) => Reply, invalid?: string): Method =>
  invalid === undefined ? { params, run } : { params, run, invalid };

export const answer = (payload: unknown): Reply => ({ answer: payload });
export const refuse = (refusal: Refusal): Reply => ({ refuse: refusal });
export const later = (reply: Promise<Reply>): Reply => ({ later: reply });
export const commit = <A>(command: Command<A>): Reply => ({ commit: command });
