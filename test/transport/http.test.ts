import { connect as dial, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { limits } from '../../src/limits.js';
import { uwsTransport } from '../../src/transport/server.js';
import type { HttpAnswer } from '../../src/transport/transport.js';

/* Plain HTTP as it goes over a socket. */

const TEXT: HttpAnswer = { status: '200 OK', type: 'text/plain', body: 'words' };
const BYTES = Buffer.alloc(8 * 1024 * 1024, 'bytes');

const listening = async (t: Test): Promise<number> => {
  const transport = await uwsTransport({
    maxPayloadBytes: limits.wire.maxPayloadBytes,
    handlers: {
      upgrade: (upgrade) => upgrade.refuse(TEXT),
      aborted: () => {},
      open: () => ({ message: () => {}, dropped: () => {}, closed: () => {} }),
      http: ({ peer }) =>
        peer.path === '/bytes' ? { ...TEXT, body: BYTES, headers: { 'cache-control': 'public' } } : TEXT,
    },
  });
  t.teardown(() => {
    transport.stop();
    transport.close();
  });
  const [address] = await transport.listen(['127.0.0.1'], 0);
  return address?.port ?? 0;
};

t.test('HEAD says what GET would, and the process lives on', async (t) => {
  const port = await listening(t);
  for (const [path, length] of [
    ['/text', '5'],
    ['/bytes', String(BYTES.length)],
    ['/text', '5'],
  ] as const) {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'HEAD' });
    t.equal(answer.headers.get('content-length'), length);
    t.equal(await answer.text(), '');
  }
});

t.test('bytes arrive as they were, also where they are more than a socket takes at once', async (t) => {
  const port = await listening(t);
  const answers = await Promise.all([1, 2, 3].map(() => fetch(`http://127.0.0.1:${port}/bytes`)));
  for (const answer of answers) {
    t.equal(answer.headers.get('cache-control'), 'public');
    t.ok(Buffer.from(await answer.arrayBuffer()).equals(BYTES));
  }
  const text = await fetch(`http://127.0.0.1:${port}/text`);
  t.equal(text.headers.get('cache-control'), 'no-store');
  t.equal(await text.text(), 'words');
});

t.test('whoever asks for a lot and takes nothing holds no more than there is room for', async (t) => {
  const port = await listening(t);
  const asking = (): Promise<{ readonly socket: Socket; readonly status: string }> =>
    new Promise((resolve) => {
      const socket = dial(port, '127.0.0.1', () => socket.write('GET /bytes HTTP/1.1\r\nHost: localhost\r\n\r\n'));
      socket.once('data', (data) => {
        socket.pause();
        resolve({ socket, status: String(data.subarray(9, 12)) });
      });
    });
  const held = [];
  for (let n = 0; n < limits.tiles.waitingBytes / BYTES.length + 2; n++) held.push(await asking());
  t.equal(held.filter(({ status }) => status === '200').length, limits.tiles.waitingBytes / BYTES.length);
  t.equal(held.at(-1)?.status, '503');
  for (const { socket } of held) socket.destroy();
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/bytes`);
    const { byteLength } = await answer.arrayBuffer();
    if (answer.status === 503) continue;
    t.equal(byteLength, BYTES.length, 'and whoever leaves makes room');
    return;
  }
});
