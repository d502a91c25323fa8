import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { original } from './original.js';
import { type Launch, Server } from './server.js';

/* Who is measured. */

export const serverNames = ['gateway', 'original', 'ws', 'limit'] as const;
export type ServerName = (typeof serverNames)[number];

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const GATEWAY = here('../../src/cli/main.js');
const LIMIT = here('./limit.js');
const BARE = here('./bare-ws-server.js');

export interface Wanted {
  /** Devices with the numbers from 0 that are to be paired before it starts, where that can be had. */
  readonly paired?: number;
  /** Clients come through a proxy, which it has to believe. */
  readonly proxied?: boolean;
  readonly workers?: number | undefined;
  /** Folder of the original. */
  readonly peer?: string | undefined;
}

const gateway = ({ proxied, workers }: Wanted): Launch => ({
  watched: true,
  prepare: (folder) => {
    const file = join(folder, 'openclaw.json');
    if (proxied && !existsSync(file))
      writeFileSync(file, JSON.stringify({ gateway: { trustedProxies: ['127.0.0.0/8'] } }), { mode: 0o600 });
  },
  command: () => [
    ...[process.execPath, GATEWAY, 'gateway', 'run', '--port', '0'],
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
  ],
});

const program = (file: string): Launch => ({
  watched: true,
  command: (folder) => [process.execPath, file, join(folder, 'store')],
});

export const startServer = async (name: ServerName, wanted: Wanted): Promise<Server> => {
  switch (name) {
    case 'gateway':
      return await Server.start(gateway(wanted));
    case 'original':
      return await Server.start(
        await original(wanted.peer ?? '', { paired: wanted.paired ?? 1, proxied: wanted.proxied ?? false }),
      );
    case 'ws':
      return await Server.start(program(BARE));
    case 'limit':
      return await Server.start(program(LIMIT));
  }
};
