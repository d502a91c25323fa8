import * as E from 'fp-ts/lib/Either.js';
import { LRUCache } from 'lru-cache';
import { type DataOf, subjectOf } from '../../events/index.js';
import type { Keys } from '../credentials/keys.js';
import { deviceIn } from '../decisions/device.js';
import { invoke } from '../decisions/invoke.js';
import type { NodeRules } from '../decisions/node-commands.js';
import type { Principal } from '../decisions/principal.js';
import { type Refusal, refusal } from '../errors.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Clock, Entropy } from '../ports.js';
import { event } from '../protocol/frames.js';
import { plain } from '../text.js';
import { deliver, type Session } from './session.js';
import type { Sessions } from './sessions.js';

/*
 * What nodes are told to do, from the question to its one outcome. A node is told when the log has it; whoever asked is told when the log has
 * what came of it. Who asks the same under the same key joins what is under way, or hears what came of it before: a client that lost its
 * connection asks again and nothing is done twice.
 */

export interface Asked {
  readonly device: string;
  readonly command: string;
  /** JSON of the arguments. */
  readonly params: string | undefined;
  readonly timeoutMs: number;
  /** The caller's idempotency key. */
  readonly key: string;
  /** The approval by which it may be run. */
  readonly use?: { readonly approval: string; readonly plan: string } | undefined;
  readonly by: Principal & { readonly kind: 'connection' };
}

/** What a node says of something that it was told. */
export interface Answered {
  readonly ok: boolean;
  readonly payload?: unknown;
  readonly payloadJSON?: string | undefined;
  readonly error?: { readonly code?: string | undefined; readonly message?: string | undefined } | undefined;
}

type How = DataOf<'node.invoke-finished'>['outcome'];

export type Outcome =
  | { readonly how: 'done'; readonly payload: unknown; readonly payloadJSON: string | null }
  | { readonly how: Exclude<How, 'done'>; readonly code: string; readonly message: string };

type Told = Promise<E.Either<Refusal, Outcome>>;

interface Open {
  readonly invocation: string;
  readonly device: string;
  /** The connection that was told. */
  readonly node: string;
  readonly seq: number;
  readonly begun: number;
  readonly stopWaiting: () => void;
  readonly settle: (outcome: Outcome) => void;
}

interface Keyed {
  /** Of the command and its arguments. */
  readonly asked: string;
  readonly told: Told;
  /** Undefined until the node is told. */
  invocation?: string;
}

export interface InvocationsOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly ledger: Pick<Ledger, 'decide' | 'commit'>;
  readonly keys: Pick<Keys, 'digest'>;
  readonly sessions: Pick<Sessions, 'nodeOf'>;
  readonly rules: NodeRules;
}

const TIMED_OUT = { how: 'timed-out', code: 'TIMEOUT', message: 'node invoke timed out' } as const;
const NODE_LEFT = { how: 'node-left', code: 'NOT_CONNECTED', message: 'node disconnected' } as const;
const CANCELLED = { how: 'cancelled', code: 'CANCELLED', message: 'node invoke cancelled' } as const;
const GATEWAY_ENDED = { how: 'gateway-ended', code: 'UNAVAILABLE', message: 'gateway stopping' } as const;

export class Invocations {
  private readonly open = new Map<string, Open>();
  private readonly underWay = new Map<string, Keyed>();
  private readonly finished = new LRUCache<string, Keyed>({
    max: limits.nodes.remembered,
    maxSize: limits.nodes.rememberedBytes,
    ttl: limits.nodes.rememberedMs,
    perf: { now: () => this.options.clock.monotonic() },
  });

  constructor(private readonly options: InvocationsOptions) {}

  ask(asked: Asked): Told {
    const name = nameOf(asked);
    const what = JSON.stringify([asked.command, asked.params]);
    const before = this.underWay.get(name) ?? this.finished.get(name);
    if (before !== undefined)
      return before.asked === what ? before.told : Promise.resolve(E.left(refusal('key-reused')));
    if (this.underWay.size >= limits.nodes.invocations) return Promise.resolve(E.left(refusal('too-many-invocations')));
    const keyed: Keyed = { asked: what, told: this.begin(asked, (invocation) => (keyed.invocation = invocation)) };
    this.underWay.set(name, keyed);
    void keyed.told.then((told) => {
      this.underWay.delete(name);
      if (E.isRight(told)) this.finished.set(name, keyed, { size: what.length + sizeOf(told.right) });
    });
    return keyed.told;
  }

  /** A node answers. False if nothing is under way by that id, or another node was told. */
  answered(invocation: string, { ok, payload, payloadJSON, error }: Answered, { connection }: Session): boolean {
    const open = this.open.get(invocation);
    if (open === undefined || open.node !== connection) return false;
    if (!ok) {
      const { code = 'UNAVAILABLE', message = 'node invoke failed' } = error ?? {};
      this.finish(open, { how: 'failed', code, message });
    } else
      this.finish(open, {
        how: 'done',
        payload: payloadJSON === undefined ? payload : parsed(payloadJSON),
        payloadJSON: payloadJSON ?? null,
      });
    return true;
  }

  /** Whoever asked wants it no more. False if it is not under way. */
  cancel(asked: Pick<Asked, 'device' | 'key' | 'by'>): boolean {
    const { invocation } = this.underWay.get(nameOf(asked)) ?? {};
    const open = invocation === undefined ? undefined : this.open.get(invocation);
    if (open === undefined) return false;
    const session = this.options.sessions.nodeOf(open.device);
    if (session?.connection === open.node)
      deliver(session, event('node.invoke.cancel', { id: open.invocation, nodeId: open.device }));
    this.finish(open, CANCELLED);
    return true;
  }

  /** A session is gone: nothing comes from it any more. */
  left({ connection }: Session): void {
    for (const open of this.open.values()) if (open.node === connection) this.finish(open, NODE_LEFT);
  }

  stop(): void {
    for (const open of this.open.values()) this.finish(open, GATEWAY_ENDED);
  }

  private async begin(asked: Asked, named: (invocation: string) => void): Told {
    const { clock, entropy, ledger, keys, sessions, rules } = this.options;
    const { device, command, timeoutMs, params, key, use, by } = asked;
    const invocation = entropy.uuid();
    const session = sessions.nodeOf(device);
    const node = session?.node && {
      connection: session.connection,
      seq: session.seq,
      commands: session.node.commands,
    };
    const digests = { key: keys.digest(key), params: params && keys.digest(params) };
    const decided = await ledger.decide({
      decide: (views, moment) =>
        invoke(
          deviceIn(views, device, moment),
          { invocation, command, timeoutMs, ...digests, node, rules, use, by },
          views,
          moment,
        ),
      answer: (events) => events.at(-1)?.seq ?? 0,
    });
    if (E.isLeft(decided)) return decided;
    named(invocation);
    return new Promise((resolve) => {
      const open: Open = {
        invocation,
        device,
        node: session?.connection ?? '',
        seq: decided.right,
        begun: clock.monotonic(),
        stopWaiting: clock.after(timeoutMs, () => this.finish(open, TIMED_OUT)),
        settle: (outcome) => resolve(E.right(outcome)),
      };
      this.open.set(invocation, open);
      /* It may have left, or another may have come in its place, while the log wrote. */
      if (session === undefined || sessions.nodeOf(device) !== session) return this.finish(open, NODE_LEFT);
      const request = { id: invocation, nodeId: device, command, paramsJSON: params ?? null, timeoutMs };
      deliver(session, event('node.invoke.request', { ...request, idempotencyKey: key }));
    });
  }

  /** Whoever asked hears of it when the log has it, or cannot have it. */
  private finish({ invocation, device, seq, begun, stopWaiting, settle }: Open, outcome: Outcome): void {
    if (!this.open.delete(invocation)) return;
    stopWaiting();
    const { clock, ledger } = this.options;
    const durationMs = Math.round(clock.monotonic() - begun);
    const code = outcome.how === 'done' ? {} : { code: plain(outcome.code, limits.claims.labelChars) };
    ledger.commit(
      {
        decide: () =>
          E.right([
            {
              type: 'node.invoke-finished',
              subject: subjectOf.device(device),
              actor: { kind: 'gateway', rule: 'invoke' },
              cause: seq,
              data: { invocation, device, outcome: outcome.how, durationMs, ...code },
            },
          ]),
        answer: () => undefined,
      },
      () => settle(outcome),
    );
  }
}

/** Keys are a caller's own, for one node. A device that comes back is the same caller. */
const nameOf = ({ device, key, by }: Pick<Asked, 'device' | 'key' | 'by'>): string =>
  JSON.stringify([by.device ?? by.connection, device, key]);

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
};

const sizeOf = (outcome: Outcome): number =>
  outcome.how === 'done' ? 1 + (outcome.payloadJSON ?? JSON.stringify(outcome.payload) ?? '').length : 1;
