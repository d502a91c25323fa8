import { readFileSync } from 'node:fs';
import { attempt } from '../attempt.js';

const PAGE_BYTES = 4096;

/** Memory of this process that is neither a mapped file nor heap of its own objects (bytes): what the transport buffers lies there. */
export const nativeMemory = (): number => {
  const { rss, heapTotal } = process.memoryUsage();
  const shared = Number(attempt(() => readFileSync('/proc/self/statm', 'utf8'))?.split(' ')[2] ?? 0) * PAGE_BYTES;
  return rss - shared - heapTotal;
};
