import type { Handlers, HttpAnswer, Peer } from '../transport/transport.js';
import { Connection } from './connection.js';
import type { Front } from './front.js';
import { json, NOT_ALLOWED, NOT_FOUND, refused } from './json-answer.js';
import { placeOf, speaksForOthers } from './place.js';

/* What the transport hands over: upgrades to admit, sockets that opened, and the few things plain HTTP is answered (protocol.md §10). */

const UNATTRIBUTED = refused(
  '403 Forbidden',
  'proxy_attribution_required',
  'forwarding headers from an address that is not in gateway.trustedProxies',
);

export const handlersOf = (front: Front): Handlers => {
  const { settings, preauth } = front;
  return {
    upgrade: (upgrade) => {
      const { peer } = upgrade;
      if (settings.untrustedForwarding === 'refuse' && speaksForOthers(peer, settings))
        return upgrade.refuse(UNATTRIBUTED);
      preauth.admit(upgrade, placeOf(peer, settings));
    },
    aborted: (upgrade) => preauth.forget(upgrade),
    open: (socket, peer) => {
      const place = placeOf(peer, settings);
      const connection = new Connection(socket, peer, place, front);
      preauth.add(connection, place);
      return connection;
    },
    http: (method, path, peer) => http(method, path, peer, front),
  };
};

const http = (method: string, path: string, peer: Peer, { tiles, settings, failing }: Front): HttpAnswer => {
  const alive = path === '/health' || path === '/healthz';
  const ready = path === '/ready' || path === '/readyz';
  if (!alive && !ready) return tiles?.answer(method, path, placeOf(peer, settings).source) ?? NOT_FOUND;
  if (method !== 'get' && method !== 'head') return NOT_ALLOWED;
  if (alive) return json('200 OK', { ok: true, status: 'live' });
  const missing = failing();
  return missing.length === 0
    ? json('200 OK', { ok: true, ready: true, status: 'ready' })
    : json('503 Service Unavailable', { ok: false, ready: false, failing: missing });
};
