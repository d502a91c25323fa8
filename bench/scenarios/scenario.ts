import type { Clients } from '../load/clients.js';
import type { Histogram } from '../load/histogram.js';
import type { ServerName, Wanted } from '../servers/index.js';
import { type Reading, read } from '../servers/reading.js';
import type { Server } from '../servers/server.js';

/* What a scenario is: sizes, what it needs, whom it can be done to, what is aimed at, and how it goes. */

export interface Sizes {
  readonly connections: number;
  readonly devices: number;
  readonly seconds: number;
  readonly perSecond: number;
}

export interface Needs {
  /** Sockets that are open at one time. */
  readonly sockets: number;
  readonly memoryMiB: number;
}

/** What is measured of a server; a figure that cannot be had is not there. */
export interface Figures {
  /** What is done, each second, by the clock. */
  readonly perSecond?: number | undefined;
  readonly done?: number | undefined;
  readonly failed?: number | undefined;
  readonly p50?: number | undefined;
  readonly p99?: number | undefined;
  readonly p999?: number | undefined;
  readonly seconds?: number | undefined;
  readonly cpuMicros?: number | undefined;
  readonly cpuPercent?: number | undefined;
  /** How busy the machine was, whoever made it so. */
  readonly machinePercent?: number | undefined;
  readonly rssMiB?: number | undefined;
  readonly anonymousMiB?: number | undefined;
  readonly bytesEach?: number | undefined;
  readonly heapMiB?: number | undefined;
  readonly tcpMiB?: number | undefined;
  readonly loopP50?: number | undefined;
  readonly loopP99?: number | undefined;
  readonly loopMax?: number | undefined;
  readonly logBytes?: number | undefined;
  readonly logEvents?: number | undefined;
}

export interface Row {
  /** Which of the things a scenario measures. */
  readonly what: string;
  readonly figures: Figures;
  readonly note?: string | undefined;
}

export interface Target {
  readonly what: string;
  readonly figure: keyof Figures;
  readonly most?: number;
  readonly least?: number;
  /** The figure of this server, times this, is the bound. */
  readonly of?: { readonly server: ServerName; readonly times: number };
}

/** What a scenario has while it runs. */
export interface Lab {
  readonly clients: Clients;
  readonly name: ServerName;
  readonly sizes: Sizes;
  readonly quick: boolean;
  start(wanted?: Omit<Wanted, 'peer' | 'workers'>): Promise<Server>;
}

export interface Scenario {
  readonly says: string;
  /** About how long one turn takes of one server, in minutes. */
  readonly minutes: number;
  readonly servers: readonly ServerName[];
  readonly turns: number;
  readonly sizes: { readonly full: Sizes; readonly quick: Sizes; readonly original?: Sizes };
  readonly needs: (sizes: Sizes) => Needs;
  readonly targets: readonly Target[];
  readonly run: (lab: Lab) => Promise<readonly Row[]>;
  /** Processes of the gateway, and of clients, unless others are asked for. */
  readonly workers?: number;
  readonly processes?: number;
  /** Not among those that run when none is named. */
  readonly byNameOnly?: true;
}

const MIB = 2 ** 20;

/** What a server did while something was done to it. */
export const measured = async <T>(
  server: Server,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly before: Reading; readonly after: Reading; readonly figures: Figures }> => {
  await server.probe();
  const before = await read(server);
  const result = await work();
  const seconds = (performance.now() - before.at) / 1000;
  const after = await read(server);
  const probe = await server.probe();
  const figures: Figures = {
    seconds,
    cpuPercent: ((after.cpu - before.cpu) / seconds) * 100,
    machinePercent: ((after.machine - before.machine) / seconds) * 100,
    rssMiB: after.rss / MIB,
    anonymousMiB: after.anonymous / MIB,
    heapMiB: probe && probe.heap / MIB,
    tcpMiB: after.tcp / MIB,
    loopP50: probe?.p50,
    loopP99: probe?.p99,
    loopMax: probe?.max,
    logBytes: after.log && before.log && after.log.bytes - before.log.bytes,
    logEvents: after.log && before.log && after.log.events - before.log.events,
  };
  return { result, before, after, figures };
};

/** How often, and what each cost the server. */
export const ratesOf = (
  done: number,
  { before, after, figures }: { readonly before: Reading; readonly after: Reading; readonly figures: Figures },
): Figures => ({
  ...figures,
  done,
  perSecond: done / (figures.seconds ?? 1),
  cpuMicros: ((after.cpu - before.cpu) * 1e6) / done,
});

export const timesOf = (histogram: Histogram): Figures => ({
  p50: histogram.quantile(0.5),
  p99: histogram.quantile(0.99),
  p999: histogram.quantile(0.999),
});
