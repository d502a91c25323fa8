import type { Handlers, HttpAnswer, HttpAsked, Upgrade } from '../transport/transport.js';
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
  const { settings, preauth, canvas } = front;
  const gone = new WeakSet<Upgrade>();
  return {
    upgrade: (upgrade) => {
      const { peer } = upgrade;
      if (settings.untrustedForwarding === 'refuse' && speaksForOthers(peer, settings))
        return upgrade.refuse(UNATTRIBUTED);
      const place = placeOf(peer, settings);
      if (canvas?.wants(peer) === true) void canvas.admit(upgrade, () => gone.has(upgrade));
      else preauth.admit(upgrade, place);
    },
    aborted: (upgrade) => {
      gone.add(upgrade);
      preauth.forget(upgrade);
    },
    open: (socket, peer) => {
      const place = placeOf(peer, settings);
      if (canvas?.wants(peer) === true) return canvas.opened(socket, peer);
      const connection = new Connection(socket, peer, place, front);
      preauth.add(connection, place);
      return connection;
    },
    http: (asked) => http(asked, front),
  };
};

const http = (asked: HttpAsked, { tiles, canvas, settings, failing }: Front): HttpAnswer | Promise<HttpAnswer> => {
  const { method, peer } = asked;
  const { path } = peer;
  const alive = path === '/health' || path === '/healthz';
  const ready = path === '/ready' || path === '/readyz';
  if (!alive && !ready) {
    const place = placeOf(peer, settings);
    return tiles?.answer(method, path, place.source) ?? canvas?.answer(asked, place) ?? NOT_FOUND;
  }
  if (method !== 'get' && method !== 'head') return NOT_ALLOWED;
  if (alive) return json('200 OK', { ok: true, status: 'live' });
  const missing = failing();
  return missing.length === 0
    ? json('200 OK', { ok: true, ready: true, status: 'ready' })
    : json('503 Service Unavailable', { ok: false, ready: false, failing: missing });
};
