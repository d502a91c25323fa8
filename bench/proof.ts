import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Growth, Tree } from '../src/ledger/tree.js';
import { newKey } from '../test/support/device.js';
import { admitted } from './client.js';
import { appendCost, appendCosts, EVENTS, grown } from './history.js';
import { type Figure, rateOf } from './measure.js';
import { Server } from './servers/server.js';

const VERIFY = fileURLToPath(new URL('./verify.js', import.meta.url));
const OPENCLAW = fileURLToPath(new URL('../src/cli/main.js', import.meta.url));
const AT_ONCE = 32;
const MIB = 1024 * 1024;

interface Verified {
  readonly cpuSeconds: number;
  readonly events: number;
  readonly peakBytes: number;
}

const verified = (state: string, how: 'whole' | 'bare'): Verified =>
  JSON.parse(execFileSync(process.execPath, [VERIFY, join(state, 'ledger'), how], { encoding: 'utf8' })) as Verified;

const perSecond = ({ events, cpuSeconds }: Verified): number => events / cpuSeconds;

/** Verifying a log, beside only reading and hashing it; what the tree costs an append; and what a gateway at work feels of it. */
export const proof = async (repeats: number): Promise<readonly Figure[]> => {
  const state = mkdtempSync(join(tmpdir(), 'clawledger-bench-'));
  try {
    /* Its keys come first: a log without them is refused. */
    await (await Server.gateway(state)).stop();
    await grown(state, EVENTS / 4);
    const small = verified(state, 'whole').peakBytes;
    await grown(state, EVENTS - EVENTS / 4);
    const ours: Verified[] = [];
    const limit: Verified[] = [];
    for (let turn = 0; turn < repeats; turn++) {
      ours.push(verified(state, 'whole'));
      limit.push(verified(state, 'bare'));
    }
    return [
      {
        name: `audit verify, ${EVENTS.toLocaleString('en')} events, of a second of CPU`,
        unit: '/s',
        ours: ours.map(perSecond),
        limit: limit.map(perSecond),
        note: 'limit: each event read and hashed into a tree, and nothing else',
      },
      {
        name: 'audit verify, peak RssAnon of the process',
        unit: 'MiB',
        ours: ours.map(({ peakBytes }) => peakBytes / MIB),
        note: `of a quarter of the events: ${(small / MIB).toFixed(1)}`,
      },
      ...(await besideHandshakes(state, repeats)),
      await treeCost(repeats),
    ];
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
};

/** How late the loop of a gateway is while devices connect as fast as they can, without and with somebody who verifies its log. */
const besideHandshakes = async (state: string, repeats: number): Promise<readonly Figure[]> => {
  const gateway = await Server.gateway(state, { watchLoop: true });
  const keys = Array.from({ length: AT_ONCE }, newKey);
  const alone: LoopDelay[] = [];
  const beside: LoopDelay[] = [];
  try {
    for (let turn = 0; turn < repeats; turn++) {
      for (const into of [alone, beside]) {
        const verifier = into === beside ? verifying(state) : undefined;
        await gateway.loopDelay();
        await rateOf(gateway, AT_ONCE, { warm: 0.5, measured: 5 }, async (worker) => {
          (await admitted(gateway.port, keys[worker] as never)).end();
        });
        into.push(await gateway.loopDelay());
        verifier?.();
        await sleep(500);
      }
    }
  } finally {
    await gateway.stop();
  }
  return [
    {
      name: 'event loop late by, p99, while devices connect and audit verify runs',
      unit: 'ms',
      ours: beside.map(({ p99 }) => p99),
      limit: alone.map(({ p99 }) => p99),
      note: `limit: the same without audit verify; worst ${Math.max(...beside.map(({ max }) => max)).toFixed(0)} ms`,
    },
  ];
};

type LoopDelay = Awaited<ReturnType<Server['loopDelay']>>;

/** As people do it, over and over. What it returns ends that. */
const verifying = (state: string): (() => void) => {
  let child: ReturnType<typeof spawn> | undefined;
  let over = false;
  const again = (): void => {
    if (over) return;
    child = spawn(process.execPath, [OPENCLAW, 'audit', 'verify', join(state, 'ledger')], { stdio: 'ignore' });
    child.once('exit', again);
  };
  again();
  return () => {
    over = true;
    child?.kill();
  };
};

const treeCost = async (repeats: number): Promise<Figure> => {
  const { grown: real } = Tree.prototype;
  const costs = await appendCosts(repeats, (path, planted) => {
    Tree.prototype.grown = planted ? real : stays;
    return appendCost(path, true);
  });
  Tree.prototype.grown = real;
  return {
    name: 'an append with the tree',
    unit: 'µs',
    ...costs,
    note: 'limit: the same without a tree',
  };
};

/** A tree that does not grow. */
function stays(this: Tree): Growth {
  const { edge, open } = this as unknown as Pick<Growth, 'edge' | 'open'>;
  return { edge, open, tiles: [], stored: { tiles: [] } };
}
