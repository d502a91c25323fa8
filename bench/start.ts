import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EVENTS, grown } from './history.js';
import type { Figure } from './measure.js';
import { Server } from './servers/server.js';

/** A log of so many events in the folder of a gateway that has run. */
const withLog = async (state: string, events: number): Promise<void> => {
  await (await Server.gateway(state)).stop();
  if (events > 0) await grown(state, events);
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
    await withLog(state, events);
    figures.push({ name, unit: 'ms', ours: await startsIn(state, repeats), limit });
    rmSync(state, { recursive: true, force: true });
  }
  return figures;
};
