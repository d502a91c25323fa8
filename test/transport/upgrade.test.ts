import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { limits } from '../../src/limits.js';
import { uwsTransport } from '../../src/transport/server.js';
import type { Upgrade } from '../../src/transport/transport.js';

/* An upgrade may wait, and what the client says meanwhile is not lost. */

const listening = async (t: Test) => {
  const waiting: Upgrade[] = [];
  const aborted: Upgrade[] = [];
  const heard: string[] = [];
  const transport = await uwsTransport({
    maxPayloadBytes: limits.wire.maxPayloadBytes,
    handlers: {
      upgrade: (upgrade) => waiting.push(upgrade),
      aborted: (upgrade) => aborted.push(upgrade),
      open: (socket) => {
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
  return { url: `ws://127.0.0.1:${address?.port}`, waiting, aborted, heard };
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
