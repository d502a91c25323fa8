import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { scan } from '../../src/ledger/scan.js';
import { Store } from '../../src/ledger/store.js';
import { machineCpu, tcpBytes } from './processes.js';
import type { Server } from './server.js';

/* What is read of a server from outside, at one moment. */

export interface Reading {
  /** On the clock of this process, in ms. */
  readonly at: number;
  readonly cpu: number;
  /** Of the whole machine, as if it had one core. */
  readonly machine: number;
  readonly rss: number;
  readonly anonymous: number;
  readonly tcp: number;
  readonly descriptors: number;
  readonly log: LogSize | undefined;
}

export interface LogSize {
  /** Of the disk, in use by the log and its views. */
  readonly bytes: number;
  readonly events: number;
}

const BLOCK_BYTES = 512;
const ledgerOf = (server: Server): string => join(server.folder, 'ledger');

const readingLog = async <T>(server: Server, read: (store: Store) => T): Promise<T> => {
  const store = new Store({ path: ledgerOf(server), readOnly: true });
  try {
    return read(store);
  } finally {
    await store.close();
  }
};

const logSize = async (server: Server): Promise<LogSize | undefined> => {
  if (!Store.exists(ledgerOf(server))) return undefined;
  const { blocks } = statSync(join(ledgerOf(server), 'data.mdb'));
  return { bytes: blocks * BLOCK_BYTES, events: await readingLog(server, (store) => store.extent().last) };
};

export const read = async (server: Server): Promise<Reading> => ({
  at: performance.now(),
  cpu: server.cpu(),
  machine: machineCpu(),
  rss: server.residentBytes(),
  anonymous: server.anonymousBytes(),
  tcp: tcpBytes(),
  descriptors: server.descriptors(),
  log: await logSize(server),
});

export interface LoggedEvent {
  readonly type: string;
  readonly actor: { readonly kind: string; readonly rule?: string };
  readonly data: Readonly<Record<string, unknown>>;
}

/** Looks at every event of its log after one, oldest first; at none of a server that has no log. */
export const readEvents = async <T>(
  server: Server,
  after: number,
  look: (events: Iterable<LoggedEvent>) => T,
): Promise<T> =>
  existsSync(ledgerOf(server))
    ? await readingLog(server, (store) => look(decoded(scan(() => store, after + 1, Number.MAX_SAFE_INTEGER))))
    : look([]);

function* decoded(events: Iterable<{ readonly bytes: Buffer }>): Iterable<LoggedEvent> {
  for (const { bytes } of events) yield JSON.parse(String(bytes)) as LoggedEvent;
}
