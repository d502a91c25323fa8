import { createHash, createPublicKey, type KeyObject, randomUUID, timingSafeEqual, verify } from 'node:crypto';
import { open } from 'lmdb';
import { loadUws } from '../src/transport/uws.js';

/*
 * What this machine allows: the least that a connect can cost on these libraries. Upgrade, challenge, one Ed25519 verification, one
 * event of 300 bytes in LMDB that is on the disk before the answer leaves. It checks nothing else, knows nobody and limits
 * nothing: not a gateway, but the yardstick beside it. `node limit.js <folder>`; the port is its first line.
 */

interface Guest {
  readonly nonce: string;
  gone: boolean;
}

interface Request {
  readonly id: string;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: this server believes its clients.
  readonly params: any;
}

const EVENT_BYTES = 300;
/** As much as a gateway says in its hello. */
const HELLO = 'm'.repeat(6000);

const log = open<Buffer, number>({
  path: process.argv[2] ?? '',
  overlappingSync: false,
  keyEncoding: 'uint32',
  encoding: 'binary',
});
let seq = 0;
/** Puts that are queued while others are flushed share the next flush. */
const append = (text: string): Promise<boolean> =>
  log.put(++seq, Buffer.from(text.padEnd(EVENT_BYTES).slice(0, EVENT_BYTES)));

const keys = new Map<string, KeyObject>();
const keyOf = (raw: string): KeyObject => {
  const known = keys.get(raw);
  if (known !== undefined) return known;
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' });
  keys.set(raw, key);
  return key;
};

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const secret = digest(process.env['OPENCLAW_GATEWAY_TOKEN'] ?? '');

const holds = ({ device, client, role, scopes, auth }: Request['params'], nonce: string): boolean => {
  const { id, signedAt, publicKey, signature } = device;
  const text = `v3|${id}|${client.id}|${client.mode}|${role}|${scopes.join(',')}|${signedAt}|${auth.token}|${nonce}|${client.platform}|`;
  return (
    timingSafeEqual(digest(auth.token), secret) &&
    verify(null, Buffer.from(text), keyOf(publicKey), Buffer.from(signature, 'base64url'))
  );
};

const uws = await loadUws();
uws
  .App()
  .ws<Guest>('/*', {
    upgrade: (res, req, context) => {
      res.upgrade(
        { nonce: randomUUID(), gone: false },
        req.getHeader('sec-websocket-key'),
        req.getHeader('sec-websocket-protocol'),
        req.getHeader('sec-websocket-extensions'),
        context,
      );
    },
    open: (ws) => {
      const { nonce } = ws.getUserData();
      ws.send(`{"type":"event","event":"connect.challenge","payload":{"nonce":"${nonce}","ts":${Date.now()}}}`);
    },
    close: (ws) => {
      ws.getUserData().gone = true;
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
          return void append(`connection.accepted ${params.device.id}`).then(() =>
            answer(`{"type":"hello-ok","pad":"${HELLO}"}`),
          );
        case 'say':
          return answer(`"${'x'.repeat(params.bytes)}"`);
        default:
          return void append(method).then(() => answer('{}'));
      }
    },
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (socket === false) throw new Error('no port is free');
    console.log(`listening on ws://127.0.0.1:${uws.us_socket_local_port(socket)}`);
  });
