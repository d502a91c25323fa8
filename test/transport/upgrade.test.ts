import { connect } from 'node:net';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { limits } from '../../src/limits.js';
import { uwsTransport } from '../../src/transport/server.js';
import type { Upgrade } from '../../src/transport/transport.js';

/* An upgrade may wait, and what the client says meanwhile is not lost. */

const listening = async (t: Test, opened = (): void => {}) => {
  const waiting: Upgrade[] = [];
  const aborted: Upgrade[] = [];
  const heard: string[] = [];
  const transport = await uwsTransport({
    maxPayloadBytes: limits.wire.maxPayloadBytes,
    handlers: {
      upgrade: (upgrade) => waiting.push(upgrade),
      aborted: (upgrade) => aborted.push(upgrade),
      open: (socket) => {
        opened();
        socket.send('welcome');
        return { message: (data) => heard.push(data.toString()), dropped: () => {}, closed: () => {} };
      },
      http: () => ({ status: '200 OK', type: 'text/plain', body: '' }),
    },
  });
  t.teardown(() => {
    transport.stop();
    transport.close();
  });
  const [address] = await transport.listen(['127.0.0.1'], 0);
  const port = address?.port ?? 0;
  return { port, url: `ws://127.0.0.1:${port}`, waiting, aborted, heard };
};

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
};

t.test('it goes on when it may, is refused when it may not, and is known to be gone', async (t) => {
  const { url, waiting, aborted, heard } = await listening(t);
  const said: string[] = [];
  const first = new WebSocket(url);
  await until(() => waiting.length === 1);
  const second = new WebSocket(url);
  await until(() => waiting.length === 2);
  const third = new WebSocket(url);
  first.on('message', (data) => {
    said.push(String(data));
    first.send('hello');
  });
  const refused = new Promise<number | undefined>((resolve) =>
    second.on('unexpected-response', (_, response) => resolve(response.statusCode)),
  );
  third.on('error', () => {});
  await until(() => waiting.length === 3);
  t.equal(first.readyState, WebSocket.CONNECTING);
  third.terminate();
  await until(() => aborted.length === 1);
  const [go, no] = waiting;
  go?.proceed();
  no?.refuse({ status: '503 Service Unavailable', type: 'text/plain', body: 'full' });
  await until(() => heard.length === 1);
  t.same([said, heard], [['welcome'], ['hello']]);
  t.equal(await refused, 503);
  first.terminate();
});

t.test('what memory is used for while it opens does not close it', async (t) => {
  const kept: Buffer[] = [];
  const { url, waiting, heard } = await listening(t, () => {
    for (let size = 8; size <= 512; size += 8)
      for (let i = 0; i < 16; i++) kept.push(Buffer.allocUnsafeSlow(size).fill(0x10));
  });
  const clients = Array.from({ length: 8 }, () => {
    const client = new WebSocket(url);
    client.on('message', () => client.send('hello'));
    return client;
  });
  await until(() => waiting.length === clients.length);
  for (const upgrade of waiting) upgrade.proceed();
  await until(() => heard.length === clients.length);
  t.equal(heard.length, clients.length);
  t.ok(kept.length > 0);
  for (const client of clients) client.terminate();
});

t.test('a key without connection: upgrade is no handshake', async (t) => {
  const { port, waiting } = await listening(t);
  const said = await new Promise<string>((resolve) => {
    const client = connect(port, '127.0.0.1', () =>
      client.write(
        'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
    );
    client.once('data', (data) => {
      resolve(String(data));
      client.destroy();
    });
  });
  t.match(said, /^HTTP\/1.1 400 /);
  t.equal(waiting.length, 0);
});
