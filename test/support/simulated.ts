import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Fact, subjectOf } from '../../events/index.js';
import { loadSettings } from '../../src/config/settings.js';
import { loadKeys } from '../../src/credentials/keys.js';
import { type Front, ownFront } from '../../src/gateway/front.js';
import { type Parts, putTogether } from '../../src/gateway/parts.js';
import { beginSigning } from '../../src/gateway/signing.js';
import { handlersOf } from '../../src/gateway/transport-handlers.js';
import type { LedgerOptions } from '../../src/ledger/ledger.js';
import { Logging } from '../../src/logging/logging.js';
import { beginExpiry } from '../../src/services/expiry.js';
import type { HttpAnswer, Peer, Receiver, Socket } from '../../src/transport/transport.js';
import { type Claims, connectParams, type Frame, type Key, newKey } from './device.js';
import { TOKEN } from './gateway.js';
import { openLedger, write } from './ledger.js';
import { ALL } from './people.js';
import { TestClock, testEntropy } from './world.js';

/*
 * A gateway without a network and without real time: everything but the sockets is what runs. Long histories go through it in
 * milliseconds, and a slow client is one that says it is.
 */

export const REMOTE_PEER: Peer = {
  address: '203.0.113.7',
  hostSocket: false,
  path: '/',
  query: '',
  host: 'gateway.example.test',
  origin: '',
  userAgent: 'test',
  forwardedFor: '',
  realIp: '',
  forwarded: false,
};

export const LOCAL_PEER: Peer = { ...REMOTE_PEER, address: '127.0.0.1', host: '127.0.0.1:18789' };

/** One end of a connection: what the gateway sent through it, and whether it closed it. */
export class SimWire implements Socket {
  readonly frames: Frame[] = [];
  readonly topics = new Set<string>();
  closed: { code: number; reason: string } | undefined;
  /** Its buffer is full: nothing is taken. */
  full = false;
  buffered = 0;
  receiver: Receiver | undefined;

  constructor(private readonly settle: () => Promise<void>) {}

  send(frame: string): boolean {
    if (this.closed !== undefined || this.full) return false;
    this.frames.push(JSON.parse(frame) as Frame);
    return true;
  }

  join(topic: string): void {
    this.topics.add(topic);
  }

  cut(): void {
    this.end(1006, '');
  }

  end(code: number, reason: string): void {
    if (this.closed !== undefined) return;
    this.closed = { code, reason };
    this.receiver?.closed(code, reason);
  }

  /** The client says this. */
  say(frame: unknown, binary = false): void {
    if (this.closed === undefined)
      this.receiver?.message(Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)), binary);
  }

  async call(method: string, params: unknown = {}): Promise<Frame> {
    const id = randomUUID();
    this.say({ type: 'req', id, method, params });
    await this.settle();
    return this.frames.find((frame) => frame.id === id);
  }

  /** What its connect was answered. */
  get answer(): Frame {
    return this.frames.find((frame) => frame.id === 'c');
  }

  get hello(): Frame {
    return this.answer?.payload;
  }
}

/** An upgrade that was asked for: a wire, a refusal, or neither while it waits. */
export interface SimKnock {
  readonly wire: SimWire | undefined;
  readonly refused: HttpAnswer | undefined;
  abort(): void;
}

export interface Simulated {
  readonly parts: Parts;
  readonly front: Front;
  readonly clock: TestClock;
  /** Asks for an upgrade, which may have to wait. */
  knock(peer?: Peer): SimKnock;
  /** Opens a connection; undefined if it is not admitted at once. */
  open(peer?: Peer): SimWire | undefined;
  /** Opens one and answers the challenge. */
  connect(key: Key | undefined, claims?: Claims, peer?: Peer): Promise<SimWire>;
  /** What is on its way to the log has arrived, and everybody was told. */
  settle(): Promise<void>;
  /** Time passes, and what it ends is over. */
  pass(ms: number): Promise<void>;
  record(...facts: readonly Fact[]): Promise<void>;
  stop(): Promise<void>;
}

const TURNS = 4;

export const simulated = async (config: object = {}, more: Partial<LedgerOptions> = {}): Promise<Simulated> => {
  const state = mkdtempSync(join(tmpdir(), 'clawledger-sim-'));
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify({ gateway: config }));
  const settings = loadSettings({}, { OPENCLAW_STATE_DIR: state, OPENCLAW_GATEWAY_TOKEN: TOKEN });
  const clock = new TestClock();
  const entropy = testEntropy(randomUUID());
  const ledger = await openLedger(settings.paths.ledger, { clock, entropy, ...more });
  const keys = loadKeys(settings.paths.keys, entropy, 'make');
  const log = new Logging({ level: 'silent', file: false, temporary: state, clock, out: () => {}, err: () => {} });
  const wires = new Set<SimWire>();
  const publish = (topic: string, frame: string): void => {
    for (const wire of wires)
      if (wire.topics.has(topic) && !wire.send(frame)) wire.receiver?.dropped(Buffer.from(frame));
  };
  const secret = { value: TOKEN, from: 'test' };
  const checkpoints = await beginSigning({ ledger, keys, settings, entropy });
  const parts = putTogether({ settings, clock, entropy, log, ledger, keys, checkpoints, secret, publish });
  const front = ownFront(parts);
  const handlers = handlersOf(front);
  const stopExpiry = beginExpiry({ clock, ledger });

  const settle = async (): Promise<void> => {
    clock.pass(25);
    for (let turn = 0; turn < TURNS; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const knock = (peer: Peer = REMOTE_PEER): SimKnock => {
    const upgrade = {
      peer,
      wire: undefined as SimWire | undefined,
      refused: undefined as HttpAnswer | undefined,
      proceed: () => {
        const wire = new SimWire(settle);
        wires.add(wire);
        upgrade.wire = wire;
        wire.receiver = handlers.open(wire, peer);
      },
      refuse: (answer: HttpAnswer) => {
        upgrade.refused = answer;
      },
      abort: () => handlers.aborted(upgrade),
    };
    handlers.upgrade(upgrade);
    return upgrade;
  };
  const open = (peer?: Peer): SimWire | undefined => knock(peer).wire;
  return {
    parts,
    front,
    clock,
    knock,
    open,
    settle,
    connect: async (key, claims, peer) => {
      const wire = open(peer);
      if (wire === undefined) throw new Error('not admitted');
      const challenge = wire.frames[0].payload;
      wire.say({ type: 'req', id: 'c', method: 'connect', params: connectParams(key, challenge, claims) });
      await settle();
      return wire;
    },
    pass: async (ms) => {
      clock.pass(ms);
      await settle();
    },
    record: async (...facts) => {
      await write(ledger, ...facts);
    },
    stop: async () => {
      stopExpiry();
      await ledger.close();
      rmSync(state, { recursive: true, force: true });
    },
  };
};

/** An operator on this host who may do everything. */
export const operatorOf = (gateway: Simulated, claims: Claims = {}): Promise<SimWire> =>
  gateway.connect(newKey(), { auth: { token: TOKEN }, scopes: ALL, ...claims }, LOCAL_PEER);

/** What a remote client shows that knows the secret. */
export const WITH_SECRET = { auth: { token: TOKEN }, scopes: ['operator.read'] };

/** A remote device that asked, was approved, and came in by the secret. */
export const guestOf = async (gateway: Simulated, operator: SimWire, claims: Claims = {}) => {
  const key = newKey();
  const asked = await gateway.connect(key, { ...WITH_SECRET, ...claims });
  await operator.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  return { key, wire: await gateway.connect(key, { ...WITH_SECRET, ...claims }) };
};

/** The gateway has another secret now. */
export const secretRotated = (from: string, to: string): Fact => ({
  type: 'gateway.secret-rotated',
  subject: subjectOf.gateway,
  actor: { kind: 'gateway', rule: 'test' },
  data: { from, to, source: 'test' },
});
