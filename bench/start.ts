import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fact, subjectOf } from '../events/index.js';
import { Ledger } from '../src/ledger/ledger.js';
import { systemClock, systemEntropy } from '../src/runtime.js';
import type { Figure } from './measure.js';
import { Server } from './server.js';

const EVENTS = 1_000_000;
const PER_DECISION = 500;
const AT_ONCE = 8;

/** What a log is made of: somebody came, and went. */
const visit = (n: number): readonly Fact[] => {
  const connection = `c${n}`;
  const device = (n % 1000).toString(16).padStart(64, '0');
  const actor = { kind: 'connection', connection, method: 'token', role: 'operator', device } as const;
  const client = { id: 'cli', mode: 'cli', platform: 'linux', version: '1' };
  return [
    {
      type: 'connection.accepted',
      subject: subjectOf.connection(connection),
      actor,
      data: {
        connection,
        boot: 'bench',
        worker: 0,
        role: 'operator',
        asked: ['operator.read'],
        scopes: ['operator.read'],
        method: 'token',
        protocol: 4,
        client,
        local: true,
        device,
      },
      origin: { address: '127.0.0.1' },
    },
    {
      type: 'connection.closed',
      subject: subjectOf.connection(connection),
      actor,
      cause: 'previous',
      data: { connection, boot: 'bench', worker: 0, code: 1000, reason: '', durationMs: 5, device },
    },
  ];
};

/** Writes the log the way the gateway does, into the folder of one that has run. */
const grown = async (state: string, events: number): Promise<void> => {
  await (await Server.gateway(state)).stop();
  const onBug = (error: unknown): void => {
    throw error;
  };
  const ledger = await Ledger.open({
    path: join(state, 'ledger'),
    purpose: 'bench',
    clock: systemClock,
    entropy: systemEntropy(),
    onBug,
  });
  for (let written = 0; written < events; written += PER_DECISION * AT_ONCE) {
    const decisions = Array.from({ length: AT_ONCE }, (_, i) => (written + i * PER_DECISION) / 2);
    await Promise.all(
      decisions.map((first) =>
        ledger.decide({
          decide: () => E.right(Array.from({ length: PER_DECISION / 2 }, (_, i) => visit(first + i)).flat()),
          answer: () => undefined,
        }),
      ),
    );
  }
  await ledger.close();
};

const startsIn = async (state: string, repeats: number): Promise<readonly number[]> => {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const gateway = await Server.gateway(state);
    times.push(gateway.startMs);
    await gateway.stop();
  }
  return times;
};

/** From the start of the process to the line that says it listens; the limit is a Node that loads the same libraries. */
export const start = async (repeats: number): Promise<readonly Figure[]> => {
  const figures: Figure[] = [];
  const limit: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    const server = await Server.limit();
    limit.push(server.startMs);
    await server.stop();
  }
  for (const [name, events] of [
    ['start, empty log', 0],
    [`start, ${EVENTS.toLocaleString('en')} events in the log`, EVENTS],
  ] as const) {
    const state = mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
    await grown(state, events);
    figures.push({ name, unit: 'ms', ours: await startsIn(state, repeats), limit });
    rmSync(state, { recursive: true, force: true });
  }
  return figures;
};
