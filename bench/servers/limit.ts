import type { WebSocket } from 'uWebSockets.js';
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import sodium from 'sodium-native';
import { limits } from '../../src/limits.js';
import { loadUws } from '../../src/transport/uws.js';
import { type Guest as Admitted, LimitLog } from './limit-log.js';

/*
 * What this machine allows: the least that a connect can cost on these libraries. Upgrade, challenge, one Ed25519 verification, and on the
 * disk before the answer leaves what a gateway writes (`limit-log.ts`). It checks nothing else, knows nobody and limits nothing: not a
 * gateway, but the yardstick beside it. `node limit.js <folder>`; the port is its first line.
 */

interface Guest {
  readonly nonce: string;
  readonly peer: object;
  admitted: Admitted | undefined;
  gone: boolean;
}

interface Request {
  readonly id: string;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: this server believes its clients.
  readonly params: any;
}

/** As much as a gateway says in its hello to somebody who is let in while nobody else is here. */
const HELLO = 'm'.repeat(2400);

const log = new LimitLog(process.argv[2] ?? '');

const keys = new Map<string, Buffer>();
const keyOf = (text: string): Buffer => {
  const known = keys.get(text);
  if (known !== undefined) return known;
  const key = Buffer.from(text, 'base64url');
  keys.set(text, key);
  return key;
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const secret = digest(process.env['OPENCLAW_GATEWAY_TOKEN'] ?? '');

const holds = ({ device, client, role, scopes, auth }: Request['params'], nonce: string): boolean => {
  const { id, signedAt, publicKey, signature } = device;
  const text = `v3|${id}|${client.id}|${client.mode}|${role}|${scopes.join(',')}|${signedAt}|${auth.token}|${nonce}|${client.platform}|`;
  return (
    timingSafeEqual(digest(auth.token), secret) &&
    sodium.crypto_sign_verify_detached(Buffer.from(signature, 'base64url'), Buffer.from(text), keyOf(publicKey))
  );
};

const here = new Set<WebSocket<Guest>>();

/** Everybody else is closed, as many in a turn of the loop as a gateway closes in one. */
const closeBut = (one: WebSocket<Guest>): void => {
  const others = [...here].filter((ws) => ws !== one);
  const closeFrom = (first: number): void => {
    const next = first + limits.sockets.closedAtOnce;
    for (const ws of others.slice(first, next)) if (here.has(ws)) ws.end(4001, 'device removed');
    if (next < others.length) setImmediate(() => closeFrom(next));
  };
  closeFrom(0);
};

const uws = await loadUws();
uws
  .App()
  .ws<Guest>('/*', {
    upgrade: (res, req, context) => {
      res.upgrade(
        {
          nonce: randomUUID(),
          peer: { address: '127.0.0.1', userAgent: req.getHeader('user-agent'), host: req.getHeader('host') },
          admitted: undefined,
          gone: false,
        },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open: (ws) => {
      here.add(ws);
      const { nonce } = ws.getUserData();
      ws.send(`{"type":"event","event":"connect.challenge","payload":{"nonce":"${nonce}","ts":${Date.now()}}}`);
    },
    close: (ws) => {
      here.delete(ws);
      const guest = ws.getUserData();
      guest.gone = true;
      if (guest.admitted !== undefined) log.closed(guest.admitted);
    },
    message: (ws, message) => {
      const guest = ws.getUserData();
      const { id, method, params } = JSON.parse(Buffer.from(message).toString()) as Request;
      const answer = (payload: string): void => {
        if (!guest.gone) ws.send(`{"type":"res","id":"${id}","ok":true,"payload":${payload}}`);
      };
      switch (method) {
        case 'connect':
          if (!holds(params, guest.nonce)) return void ws.end(1008, 'unauthorized');
          return void log.accepted(params, guest.peer).then((admitted) => {
            guest.admitted = admitted;
            answer(`{"type":"hello-ok","pad":"${HELLO}"}`);
          });
        case 'say':
          return answer(`"${'x'.repeat(params.bytes)}"`);
        case 'device.token.revoke':
        case 'device.token.rotate':
        case 'device.pair.remove':
          return void log.append(method).then(() => {
            answer('{}');
            closeBut(ws);
          });
        default:
          return void log.append(method).then(() => answer('{}'));
      }
    },
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('no port is free');
    console.log(`listening on ws://127.0.0.1:${uws.us_socket_local_port(socket)}`);
  });
