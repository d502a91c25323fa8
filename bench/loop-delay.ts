import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded into every process of a server before it starts (`--import`): says in the folder that PROBES names that it listens, and on SIGUSR2
 * how late its loop was since the signal before (ms), and what its heap holds (bytes).
 */

const MICROS = 1e6;
const { PROBES = '' } = process.env;

if (isMainThread && PROBES !== '') {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const file = join(PROBES, `${process.pid}.json`);
  delay.enable();
  process.on('SIGUSR2', () => {
    const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((nanos) => nanos / MICROS);
    const { heapUsed, external } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ p50, p99, max, heap: heapUsed + external }));
    renameSync(`${file}.new`, file);
    delay.reset();
  });
  writeFileSync(join(PROBES, `${process.pid}.listens`), '');
}
