import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/*
 * Loaded into a server before it starts (`--import`): on SIGUSR2 it writes what its loop was late by since the signal before, in ms, to the
 * file that LOOP_DELAY names.
 */

const MICROS = 1e6;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
process.on('SIGUSR2', () => {
  const { LOOP_DELAY = '' } = process.env;
  const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((nanos) => nanos / MICROS);
  if (LOOP_DELAY !== '') writeFileSync(LOOP_DELAY, JSON.stringify({ p50, p99, max }));
  delay.reset();
});
