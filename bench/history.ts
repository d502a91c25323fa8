import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fact, subjectOf } from '../events/index.js';
import { connectionId } from '../src/gateway/connection-id.js';
import { Ledger } from '../src/ledger/ledger.js';
import { limits } from '../src/limits.js';
import { systemClock, systemEntropy } from '../src/runtime.js';
import type { Figure } from './measure.js';

/* A log as months of use make it: devices that were approved come and go by their tokens. */

export const EVENTS = 1_000_000;
export const DEVICES = 1000;
const PER_DECISION = 500;
const AT_ONCE = 8;

const entropy = systemEntropy();
const CLIENT = { id: 'cli', mode: 'cli', platform: 'linux', version: '1' };
/* Ids as they are: hashes. */
const IDS = Array.from({ length: DEVICES }, (_, n) => hash('sha256', `device ${n}`, 'hex'));
export const deviceOf = (n: number): string => IDS[n % DEVICES] ?? '';
const credentialOf = (n: number): string => deviceOf(n).slice(-16);
export const addressOf = (n: number): string => `10.0.${(n % DEVICES) >> 8}.${n & 255}`;

/** Asked with a credential, approved by the owner of the host, and given a token. */
export const admitted = (device: string, credential: string, token: string, address: string): readonly Fact[] => {
  const requestId = entropy.uuid();
  const ask = {
    requestId,
    device,
    publicKey: 'k',
    role: 'operator' as const,
    scopes: ['operator.read'],
    client: CLIENT,
  };
  const host = { kind: 'connection', connection: entropy.uuid(), method: 'host-proof' } as const;
  const subject = subjectOf.device(device);
  return [
    {
      type: 'pairing.requested',
      subject,
      actor: { kind: 'connection', connection: entropy.uuid(), method: 'token', device, credential },
      data: { ...ask, roles: ['operator'], need: 'not-paired', silent: false, repair: false },
      origin: { address, displayName: `device ${device.slice(-4)}` },
    },
    {
      type: 'pairing.approved',
      subject,
      actor: host,
      cause: 'previous',
      data: { ...ask, roles: ['operator'], rule: 'host-proof' },
    },
    {
      type: 'token.issued',
      subject,
      actor: host,
      cause: 'previous',
      data: { device, role: 'operator', token, key: 'k', credential: token, scopes: ['operator.read'] },
    },
  ];
};

/** Somebody came by a credential, and went. */
export const visit = (device: string, credential: string, address: string): readonly Fact[] => {
  const connection = connectionId(Date.now(), entropy);
  const actor = {
    kind: 'connection',
    connection,
    method: 'device-token',
    role: 'operator',
    device,
    credential,
    scopes: ['operator.read'],
  } as const;
  return [
    {
      type: 'connection.accepted',
      subject: subjectOf.connection(connection),
      actor: { ...actor, scopes: [...actor.scopes] },
      data: {
        connection,
        boot: 'bench',
        worker: 0,
        role: 'operator',
        asked: ['operator.read'],
        scopes: ['operator.read'],
        method: 'device-token',
        protocol: 4,
        client: CLIENT,
        local: false,
        device,
        credential,
      },
      origin: { address, userAgent: 'bench' },
    },
    {
      type: 'connection.closed',
      subject: subjectOf.connection(connection),
      actor: { ...actor, scopes: [...actor.scopes] },
      cause: 'previous',
      data: { connection, boot: 'bench', worker: 0, code: 1000, reason: '', durationMs: 5, device },
    },
  ];
};

const visitOf = (n: number): readonly Fact[] => visit(deviceOf(n), credentialOf(n), addressOf(n));

export const openLedger = (path: string): Promise<Ledger> => {
  const onBug = (error: unknown): void => {
    throw error;
  };
  return Ledger.open({ path, purpose: 'bench', clock: systemClock, entropy, onBug });
};

export const append = (ledger: Ledger, facts: readonly Fact[]): Promise<unknown> =>
  ledger.decide({ decide: () => E.right(facts), answer: () => undefined });

/** Writes a log the way the gateway does: everybody is admitted, then so many events of coming and going. */
export const grown = async (state: string, events: number): Promise<void> => {
  const ledger = await openLedger(join(state, 'ledger'));
  for (let n = 0; n < (events === 0 ? 0 : DEVICES); n++)
    await append(ledger, admitted(deviceOf(n), 'c0ffee0000000000', credentialOf(n), addressOf(n)));
  for (let written = 0; written < events; written += PER_DECISION * AT_ONCE) {
    const decisions = Array.from({ length: AT_ONCE }, (_, i) => (written + i * PER_DECISION) / 2);
    await Promise.all(
      decisions.map((first) =>
        append(ledger, Array.from({ length: PER_DECISION / 2 }, (_, i) => visitOf(first + i)).flat()),
      ),
    );
  }
  await ledger.close();
};

const WRITERS = 500;
const COST_EVENTS = 100_000;

/** Time to record a log of coming and going, each visit a decision of its own and many at once, in µs an event. */
export const appendCost = async (path: string, indexed: boolean): Promise<number> => {
  const kept = { ...limits.ledger };
  /* An index that is never due, and a history that is: what the log costs without finding anything in it again. */
  const bounds = limits.ledger as { indexBatch: number; indexMs: number; indexRemembered: number };
  if (!indexed) Object.assign(bounds, { indexBatch: Number.MAX_SAFE_INTEGER, indexMs: 2 ** 30, indexRemembered: 1 });
  const ledger = await openLedger(path);
  let n = 0;
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      while (n < COST_EVENTS / 2) await append(ledger, visitOf(n++));
    }),
  );
  const micros = ((performance.now() - begun) * 1000) / COST_EVENTS;
  Object.assign(bounds, kept);
  await ledger.close();
  return micros;
};

/** The same with something and without it, on a log of its own each time; in turn, so that both have the same machine. */
export const appendCosts = async (
  repeats: number,
  cost: (path: string, withIt: boolean) => Promise<number>,
): Promise<Pick<Figure, 'ours' | 'limit'>> => {
  const ours: number[] = [];
  const limit: number[] = [];
  for (let turn = 0; turn < 2 * repeats; turn++) {
    for (const costs of [limit, ours]) {
      const path = mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
      costs.push(await cost(path, costs === ours));
      rmSync(path, { recursive: true, force: true });
    }
  }
  return { ours, limit };
};
