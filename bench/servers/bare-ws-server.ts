import { createPublicKey, type KeyObject, randomUUID, verify } from 'node:crypto';
import { type WebSocket, WebSocketServer } from 'ws';

/*
 * The package `ws` as most servers of Node use it, with the handshake and nothing behind it: no store, no rules, no limits. What a gateway
 * would cost that remembers nothing. Its port is its first line.
 */

interface Request {
  readonly id: string;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: this server believes its clients.
  readonly params: any;
}

/** As much as a gateway says in its hello. */
const HELLO = 'm'.repeat(6000);
const keys = new Map<string, KeyObject>();
const inside = new Set<WebSocket>();

const keyOf = (raw: string): KeyObject => {
  const key = keys.get(raw) ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' });
  keys.set(raw, key);
  return key;
};

const holds = ({ device, client, role, scopes, auth }: Request['params'], nonce: string): boolean => {
  const { id, signedAt, publicKey, signature } = device;
  const text = `v3|${id}|${client.id}|${client.mode}|${role}|${scopes.join(',')}|${signedAt}|${auth.token}|${nonce}|${client.platform}|`;
  return (
    auth.token === process.env['OPENCLAW_GATEWAY_TOKEN'] &&
    verify(null, Buffer.from(text), keyOf(publicKey), Buffer.from(signature, 'base64url'))
  );
};

const tellAll = (event: string, payload: unknown): void => {
  const frame = JSON.stringify({ type: 'event', event, payload });
  for (const ws of inside) ws.send(frame);
};

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false, backlog: 4096 });
server.on('connection', (ws) => {
  const nonce = randomUUID();
  ws.on('error', () => {});
  ws.on('close', () => inside.delete(ws));
  ws.send(`{"type":"event","event":"connect.challenge","payload":{"nonce":"${nonce}","ts":${Date.now()}}}`);
  ws.on('message', (data) => {
    const { id, method, params } = JSON.parse(String(data)) as Request;
    const answer = (payload: unknown): void => ws.send(JSON.stringify({ type: 'res', id, ok: true, payload }));
    if (method === 'connect') {
      if (!holds(params, nonce)) return ws.close(1008, 'unauthorized');
      inside.add(ws);
      return answer({ type: 'hello-ok', pad: HELLO });
    }
    answer({ ok: true });
    if (method === 'talk.mode') tellAll('talk.mode', params);
  });
});
setInterval(() => tellAll('tick', { ts: Date.now() }), 30_000);
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object') console.log(`listening on ws://127.0.0.1:${address?.port}`);
});
