import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import type { Test } from 'tap';
import { type Fact, subjectOf } from '../../events/index.js';
import { Ledger, type LedgerOptions } from '../../src/ledger/ledger.js';
import type { Clock } from '../../src/ports.js';
import { TestClock, testEntropy } from './world.js';

/** A folder that is gone when the test is over. */
export const folder = (t: Test): string => {
  const path = mkdtempSync(join(tmpdir(), 'clawledger-test-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const openLedger = (path: string, more: Partial<LedgerOptions> = {}): Promise<Ledger> =>
  Ledger.open({
    path,
    purpose: 'test',
    clock: new TestClock() as Clock,
    entropy: testEntropy(path),
    onBug: (error) => {
      throw error;
    },
    ...more,
  });

/** Facts that are easy to tell apart. */
export const ticked = (n: number): Fact => ({
  type: 'health.ticked',
  subject: subjectOf.gateway,
  actor: { kind: 'gateway', rule: 'health' },
  data: { boot: 'b', uptimeMs: n, connections: 0, pending: 0, paired: 0, rssBytes: 0, loopDelayMs: 0 },
});

export const asked = (device: string, requestId: string): Fact => ({
  type: 'pairing.requested',
  subject: subjectOf.device(device),
  actor: { kind: 'connection', connection: 'c' },
  data: {
    requestId,
    device,
    publicKey: 'k',
    role: 'operator',
    roles: ['operator'],
    scopes: ['operator.read'],
    client: { id: 'cli', mode: 'cli', platform: 'linux', version: '1' },
    need: 'not-paired',
    silent: false,
    repair: false,
  },
  origin: { address: '203.0.113.9', displayName: 'Ada' },
});

/** Commits these facts as one decision and waits for them to be on the disk. */
export const write = async (ledger: Ledger, ...facts: readonly Fact[]) => {
  const outcome = await ledger.decide({ decide: () => E.right(facts), answer: (events) => events });
  if (E.isLeft(outcome)) throw new Error(`not written: ${JSON.stringify(outcome.left)}`);
  return outcome.right;
};
