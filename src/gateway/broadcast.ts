import { APPROVALS, PAIRING, READ } from '../decisions/scopes.js';
import type { Dialect } from '../protocol/dialect.js';
import { Encoded, encode, event, type StateVersion } from '../protocol/frames.js';
import { may, type Session } from './session.js';

/*
 * Events to many. Connections of one dialect that may receive the same events are one audience: a frame is serialized once for
 * it, counted once, and published natively, so a client sees numbers without gaps whatever others receive (protocol.md §9.1).
 * An event that is not in the table goes to nobody.
 */

interface Rule {
  /** Scope that receives it; without one everybody does, nodes included. */
  readonly scope?: string;
  /** A client that is behind may miss it. */
  readonly drop?: true;
  readonly dialect?: Dialect;
}

const RULES = {
  tick: { drop: true },
  health: {},
  shutdown: {},
  presence: { scope: READ, drop: true },
  'talk.mode': { scope: READ, drop: true },
  'device.pair.requested': { scope: PAIRING, drop: true },
  'device.pair.resolved': { scope: PAIRING, drop: true },
  'exec.approval.requested': { scope: APPROVALS, drop: true },
  'exec.approval.resolved': { scope: APPROVALS, drop: true },
  'device.pair.changed': { scope: PAIRING, drop: true, dialect: 4 },
} as const satisfies Record<string, Rule>;

export type BroadcastEvent = keyof typeof RULES;

/** What a client of this dialect may be sent: told at hello, so that it listens for nothing else. */
export const eventsFor = (dialect: Dialect): readonly string[] => [
  'connect.challenge',
  'node.invoke.request',
  ...Object.entries<Rule>(RULES)
    .filter(([, rule]) => rule.dialect === undefined || rule.dialect === dialect)
    .map(([name]) => name),
];

const SCOPES = [READ, PAIRING, APPROVALS];

interface Sending {
  readonly stateVersion?: StateVersion;
  readonly only?: Dialect;
}

interface Audience {
  readonly topic: string;
  readonly dialect: Dialect;
  readonly scopes: ReadonlySet<string>;
  seq: number;
}

export class Broadcast {
  private readonly audiences = new Map<string, Audience>();

  constructor(private readonly publish: (topic: string, frame: string) => void) {}

  /** From now on the session receives what it may. */
  join(session: Session): void {
    const scopes = SCOPES.filter((scope) => may(session, scope));
    const topic = `${session.dialect} ${scopes.join(' ')}`;
    if (!this.audiences.has(topic))
      this.audiences.set(topic, { topic, dialect: session.dialect, scopes: new Set(scopes), seq: 0 });
    session.socket.join(topic);
  }

  /** `payload` may depend on the dialect. */
  send(
    name: BroadcastEvent,
    payload: unknown | ((dialect: Dialect) => unknown),
    { stateVersion, only }: Sending = {},
  ): void {
    const rule: Rule = RULES[name];
    const dialect = only ?? rule.dialect;
    const payloads = new Map<Dialect, Encoded>();
    for (const audience of this.audiences.values()) {
      if (dialect !== undefined && dialect !== audience.dialect) continue;
      if (rule.scope !== undefined && !audience.scopes.has(rule.scope)) continue;
      const encoded =
        payloads.get(audience.dialect) ??
        new Encoded(encode(typeof payload === 'function' ? payload(audience.dialect) : payload));
      payloads.set(audience.dialect, encoded);
      audience.seq++;
      this.publish(audience.topic, event(name, encoded, audience.seq, stateVersion));
    }
  }
}

/** May this published frame be missed by a client that is behind? Known by its beginning; a frame is never parsed again. */
export const mayDrop = (frame: Buffer): boolean => {
  const name = /^\{"type":"event","event":"([^"]*)"/.exec(frame.subarray(0, 80).toString())?.[1];
  return name !== undefined && (RULES as Readonly<Record<string, Rule | undefined>>)[name]?.drop === true;
};
