import { readdir, statfs } from 'node:fs/promises';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import WebSocket from 'ws';
import type { Views } from '../../projections/index.js';
import type { Ledger } from '../ledger/ledger.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import type { CanvasWatch } from './canvas/watch.js';
import type { Check, Finding } from './health-monitor.js';

/* What is looked at of a gateway, and when it counts as not well. */

const ok = (evidence: string): Finding => ({ state: 'ok', evidence });
const degraded = (evidence: string): Finding => ({ state: 'degraded', evidence });
const failed = (evidence: string): Finding => ({ state: 'failed', evidence });

/** A connection to ourselves, as far as the challenge: what a client needs to begin. */
export const listener = (url: string): Check => ({
  component: 'listener',
  look: () =>
    new Promise((resolve) => {
      const begun = performance.now();
      const socket = new WebSocket(url, { handshakeTimeout: limits.health.checkMs, perMessageDeflate: false });
      const end = (finding: Finding): void => {
        socket.terminate();
        resolve(finding);
      };
      socket.on('message', () => end(ok(`challenge after ${Math.round(performance.now() - begun)} ms`)));
      socket.on('error', (error) => end(failed(error.message)));
      socket.on('close', (code) => end(failed(`closed with ${code} before a challenge`)));
    }),
});

export const log = (ledger: Pick<Ledger, 'health' | 'log'>): Check => ({
  component: 'log',
  look: () => (ledger.health.writable ? ok(`at event ${ledger.log.position}`) : failed(ledger.health.why)),
});

/** The index and what is kept of the views follow the log; the views themselves are written with it. */
export const views = (ledger: Pick<Ledger, 'log'>): Check => ({
  component: 'views',
  look: () => {
    const behind = ledger.log.position - ledger.log.indexed;
    const evidence = `the index is ${behind} events behind`;
    return behind > limits.ledger.indexRemembered ? degraded(evidence) : ok(evidence);
  },
});

interface NodesHere {
  readonly views: () => Views;
  /** Devices that are here as nodes. */
  readonly here: () => ReadonlySet<string>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Nodes that were here in this run, and have been away for longer than it takes to come back. */
export const nodes = ({ views, here, clock }: NodesHere): Check => {
  const seen = new Set<string>();
  return {
    component: 'nodes',
    look: () => {
      const present = here();
      for (const device of present) seen.add(device);
      const away = [...seen].filter((device) => !present.has(device));
      for (const device of away) if (views().paired.get(device) === undefined) seen.delete(device);
      const latest = clock.now() - limits.health.nodeGraceMs;
      const stale = away.filter((device) => seen.has(device) && (views().usage.get(device)?.seenAt ?? 0) < latest);
      if (stale.length === 0) return ok(`${present.size} connected`);
      const named = stale.slice(0, 3).map((device) => device.slice(0, 12));
      return degraded(
        `${present.size} connected, ${stale.length} away: ${named.join(', ')}${stale.length > 3 ? ' …' : ''}`,
      );
    },
  };
};

/** Its folder can be read, and changes in it are seen. */
export const canvas = (root: string, watch: CanvasWatch | undefined): Check => ({
  component: 'canvas',
  look: async () => {
    const fault = watch?.fault;
    if (fault !== undefined) return degraded(`changes are not seen: ${fault}`);
    return await readdir(root).then(
      (names) => ok(`${names.length} in ${root}`),
      (error: Error) => failed(error.message),
    );
  },
  ...(watch === undefined ? {} : { mend: () => watch.restart() }),
});

const MiB = 1024 * 1024;

export const disk = (folder: string): Check => ({
  component: 'disk',
  look: async () => {
    const { bavail, bsize } = await statfs(folder);
    const free = bavail * bsize;
    const evidence = `${Math.floor(free / MiB)} MiB free`;
    if (free < limits.health.diskBytes.failed) return failed(evidence);
    return free < limits.health.diskBytes.degraded ? degraded(evidence) : ok(evidence);
  },
});

export const descriptors = (most: number): Check => ({
  component: 'descriptors',
  look: async () => {
    const open = await readdir('/proc/self/fd').then(
      (found) => found.length,
      () => undefined,
    );
    if (open === undefined) return ok('unknown on this system');
    const evidence = `${open} of ${most} open`;
    return open > limits.health.descriptorShare * most ? degraded(evidence) : ok(evidence);
  },
});

const NANOSECONDS_PER_MS = 1e6;

/** How late the loop was since the last look. */
export const loopDelay = (loop: IntervalHistogram = watchedLoop()): Check => ({
  component: 'loop',
  look: () => {
    const ms = (nanoseconds: number): number => Math.round(nanoseconds / NANOSECONDS_PER_MS);
    const [p99, worst] = loop.count === 0 ? [0, 0] : [ms(loop.percentile(99)), ms(loop.max)];
    loop.reset();
    const evidence = `p99 ${p99} ms, worst ${worst} ms`;
    return p99 > limits.health.loopMs ? degraded(evidence) : ok(evidence);
  },
});

const watchedLoop = (): IntervalHistogram => {
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();
  return loop;
};

/** Wall clock and monotonic clock go at the same pace. */
export const wallClock = (clock: Clock): Check => {
  let before = { wall: clock.now(), monotonic: clock.monotonic() };
  return {
    component: 'clock',
    look: () => {
      const now = { wall: clock.now(), monotonic: clock.monotonic() };
      const off = Math.round(now.wall - before.wall - (now.monotonic - before.monotonic));
      before = now;
      const evidence = `${off} ms off since the last look`;
      return Math.abs(off) > limits.ledger.clockJumpMs ? degraded(evidence) : ok(evidence);
    },
  };
};
