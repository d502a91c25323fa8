import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { deviceOf } from '../load/devices.js';
import type { Launch } from './server.js';

/*
 * OpenClaw 2026.3.2 itself, with a home of its own, nothing that it looks up elsewhere, and devices that are paired already: pairing
 * thousands with it would take an hour.
 */

const OPENCLAW = 'openclaw-2026.3.2/node_modules/openclaw/openclaw.mjs';
const NODE = 'node/node_modules/.bin/node';

/** What a folder lacks to be one of an original; undefined if it lacks nothing. */
export const lackOf = (folder: string): string | undefined =>
  [OPENCLAW, NODE].map((path) => join(folder, path)).find((path) => !existsSync(path));

const SCOPES = ['operator.admin', 'operator.approvals', 'operator.pairing'];

const pairedFile = (devices: number): string => {
  const now = Date.now();
  const rows = Array.from({ length: devices }, (_, n) => {
    const { id, publicKey } = deviceOf(n);
    const times = { createdAtMs: now, approvedAtMs: now };
    const who = { platform: 'linux', clientId: 'cli', clientMode: 'cli', role: 'operator', roles: ['operator'] };
    const token = { token: `token-of-${id}`, role: 'operator', scopes: SCOPES, createdAtMs: now };
    const may = { scopes: SCOPES, approvedScopes: SCOPES, tokens: { operator: token } };
    return [id, { deviceId: id, publicKey, ...who, ...may, ...times }] as const;
  });
  return JSON.stringify(Object.fromEntries(rows), null, 2);
};

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, timeout: 5000 }, (response) => {
      response.resume();
      resolve(true);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });

export const original = async (
  peer: string,
  { paired, proxied }: { paired: number; proxied: boolean },
): Promise<Launch> => {
  const port = await freePort();
  const config = {
    gateway: { mode: 'local', ...(proxied ? { trustedProxies: ['127.0.0.0/8'] } : {}) },
    update: { checkOnStart: false },
  };
  return {
    watched: true,
    prepare: (folder) => {
      const state = join(folder, '.openclaw');
      if (existsSync(state)) return;
      mkdirSync(join(state, 'devices'), { recursive: true });
      writeFileSync(join(state, 'openclaw.json'), JSON.stringify(config), { mode: 0o600 });
      writeFileSync(join(state, 'devices', 'paired.json'), pairedFile(paired), { mode: 0o600 });
    },
    env: (folder) => ({
      OPENCLAW_STATE_DIR: join(folder, '.openclaw'),
      OPENCLAW_DISABLE_BONJOUR: '1',
      PATH: `${dirname(join(peer, NODE))}:${process.env['PATH']}`,
    }),
    command: () => [join(peer, NODE), join(peer, OPENCLAW), 'gateway', '--allow-unconfigured', '--port', String(port)],
    listening: async () => ((await answers(port)) ? port : undefined),
  };
};
