import type { Handlers, HttpAnswer } from '../transport/transport.js';
import { Connection } from './connection.js';
import type { Parts } from './parts.js';
import { placeOf, speaksForOthers } from './place.js';

/* What the transport hands over: upgrades to admit, sockets that opened, and the few things plain HTTP is answered (protocol.md §10). */

const json = (status: string, body: unknown, headers?: HttpAnswer['headers']): HttpAnswer => ({
  status,
  type: 'application/json; charset=utf-8',
  body: JSON.stringify(body),
  ...(headers === undefined ? {} : { headers }),
});

const NO_ROOM = json(
  '503 Service Unavailable',
  { error: { message: 'too many unauthenticated connections; try again shortly', type: 'preauth_limit' } },
  { 'retry-after': '1' },
);
const UNATTRIBUTED = json('403 Forbidden', {
  error: {
    message: 'forwarding headers from an address that is not in gateway.trustedProxies',
    type: 'proxy_attribution_required',
  },
});

export const handlersOf = (parts: Parts): Handlers => {
  const { settings, preauth } = parts;
  return {
    admit: (peer) => {
      if (settings.untrustedForwarding === 'refuse' && speaksForOthers(peer, settings)) return UNATTRIBUTED;
      return preauth.hasRoom(placeOf(peer, settings)) ? undefined : NO_ROOM;
    },
    open: (socket, peer) => {
      const connection = new Connection(socket, peer, placeOf(peer, settings), parts);
      preauth.add(connection);
      return connection;
    },
    http: (method, path) => http(method, path, parts),
  };
};

const http = (method: string, path: string, { ledger }: Parts): HttpAnswer => {
  const alive = path === '/health' || path === '/healthz';
  const ready = path === '/ready' || path === '/readyz';
  if (!alive && !ready)
    return json('404 Not Found', { error: { message: 'nothing is served here', type: 'not_found' } });
  if (method !== 'get' && method !== 'head')
    return json(
      '405 Method Not Allowed',
      { error: { message: 'use GET', type: 'method_not_allowed' } },
      { allow: 'GET, HEAD' },
    );
  if (alive) return json('200 OK', { ok: true, status: 'live' });
  return ledger.health.writable
    ? json('200 OK', { ok: true, ready: true, status: 'ready' })
    : json('503 Service Unavailable', { ok: false, ready: false, failing: ['log'] });
};
