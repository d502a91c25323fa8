import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded into every process of a server before it starts (`--import`): says in the folder that PROBES names that it listens. On SIGUSR2 it says
 * how late its loop was since the signal before (ms), collects its garbage, and says what its heap holds then (bytes).
 */

const MICROS = 1e6;
/** The pause of the collection is over, and has been counted. */
const AFTER_MS = 20;
const { PROBES = '' } = process.env;

if (isMainThread && PROBES !== '') {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const file = join(PROBES, `${process.pid}.json`);
  delay.enable();
  process.on('SIGUSR2', () => {
    const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((nanos) => nanos / MICROS);
    collect();
    const { heapUsed, external } = process.memoryUsage();
    setTimeout(() => {
      delay.reset();
      writeFileSync(`${file}.new`, JSON.stringify({ p50, p99, max, heap: heapUsed + external }));
      renameSync(`${file}.new`, file);
    }, AFTER_MS);
  });
  writeFileSync(join(PROBES, `${process.pid}.listens`), '');
}
