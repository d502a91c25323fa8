import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { limits } from '../../src/limits.js';
import { type Claims, connect, type Key, newKey } from '../support/device.js';
import { logOf, running, TOKEN, WORKERS } from '../support/gateway.js';
import { ALL } from '../support/people.js';

/* The canvas: for whoever knows a capability, and for nobody else, wherever they come from. */

const OPERATOR = { auth: { token: TOKEN }, scopes: ALL };
/** Of protocol 3, in which it asks for another. */
const NODE = {
  minProtocol: 3,
  maxProtocol: 3,
  auth: { token: TOKEN },
  role: 'node',
  scopes: [],
  client: { id: 'node-host', mode: 'node', platform: 'linux' },
  commands: ['system.run'],
};
const HOME = '/__openclaw__/canvas/';

/** Comes in, and is told so. */
const came = async (port: number, key: Key, claims: Claims) => {
  const { wire, answer } = await connect(port, key, claims);
  return { hello: answer.payload, call: wire.call.bind(wire), close: () => wire.end() };
};

const scene = async (t: Test, options: Parameters<typeof running>[1] = {}) => {
  const gateway = await running(t, options);
  const { port, state } = gateway;
  const root = join(state, 'canvas');
  const operator = await came(port, newKey(), OPERATOR);
  t.teardown(() => operator.close());
  const put = (name: string, text: string | Buffer): void => writeFileSync(join(root, name), text);
  const link = async (): Promise<string> => (await operator.call('canvas.link', {})).payload.url;
  return { ...gateway, root, operator, put, link, at: (path: string) => `http://127.0.0.1:${port}${path}` };
};

/** As it is sent: nothing tidies the path. */
const raw = (port: number, path: string, headers = ''): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    const socket = dial(port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${headers}\r\n`),
    );
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (text.includes('\r\n\r\n') && body.length >= length) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ status: Number(/^HTTP\/1.1 (\d+)/.exec(text)?.[1] ?? 0), text }));
  });

t.test('nobody looks without a capability; whoever has one does, and the log knows', async (t) => {
  const { at, put, link, state } = await scene(t);
  put('index.html', '<body>hello</body>');
  for (const path of [
    HOME,
    `${HOME}index.html`,
    `/__openclaw__/cap/${'x'.repeat(24)}${HOME}`,
    `/__openclaw__/cap/${HOME}`,
  ]) {
    const answer = await fetch(at(path));
    t.equal(answer.status, 401, path);
    t.notMatch(await answer.text(), /hello/);
  }
  t.match(
    await (await fetch(at(HOME))).text(),
    /openclaw canvas link/,
    'a program of this host is told how to come in',
  );
  const url = await link();
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/__openclaw__\/cap\/[\w-]{24}\/__openclaw__\/canvas\/$/);
  const page = await fetch(url);
  t.equal(page.status, 200);
  t.match(await page.text(), /<body>hello<script>/);
  t.match(Object.fromEntries(page.headers), {
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-cache',
    'x-content-type-options': 'nosniff',
  });
  const capability = url.split('/')[5] ?? '';
  t.equal((await fetch(at(`${HOME}index.html?oc_cap=${capability}`))).status, 200);
  const events = logOf(state).filter(({ type }) => type.startsWith('canvas.'));
  t.same(
    events.map(({ type }) => type),
    ['canvas.capability-minted', 'canvas.capability-used'],
  );
  t.equal(events[1]?.cause, events[0]?.seq);
  t.notMatch(JSON.stringify(logOf(state)), capability);
});

t.test('a node gets one when it comes in, another when it asks, and none after it has left', async (t) => {
  const { port, put, operator, state } = await scene(t);
  put('a.txt', 'A');
  const key = newKey();
  const node = await came(port, key, NODE);
  const first: string = node.hello.canvasHostUrl;
  t.match(first, /^http:\/\/127\.0\.0\.1:\d+\/__openclaw__\/cap\/[\w-]{24}$/);
  t.same(operator.hello.pluginSurfaceUrls, { canvas: `http://127.0.0.1:${port}` }, 'as protocol 4 has it');
  t.equal(await (await fetch(`${first}${HOME}a.txt`)).text(), 'A');
  const { payload } = await node.call('node.canvas.capability.refresh', {});
  t.equal(payload.canvasHostUrl, `http://127.0.0.1:${port}/__openclaw__/cap/${payload.canvasCapability}`);
  t.ok(payload.canvasCapabilityExpiresAtMs > Date.now());
  t.equal((await fetch(`${first}${HOME}a.txt`)).status, 401, 'the one before it ended');
  t.equal((await fetch(`${payload.canvasHostUrl}${HOME}a.txt`)).status, 200);
  t.match((await operator.call('node.canvas.capability.refresh', {})).error, { message: /unauthorized role/ });
  node.close();
  for (let tries = 0; tries < 50 && (await fetch(`${payload.canvasHostUrl}${HOME}a.txt`)).status !== 401; tries++)
    await sleep(20);
  t.equal((await fetch(`${payload.canvasHostUrl}${HOME}a.txt`)).status, 401);
  t.equal(logOf(state).filter(({ type }) => type === 'canvas.capability-minted').length, 2);
});

t.test(
  'a capability ends ten minutes after it was last used, and with the device of whoever asked for it',
  async (t) => {
    const { clock, link, put, operator, port } = await scene(t);
    put('a.txt', 'A');
    const url = await link();
    const half = limits.canvas.capabilityMs / 2;
    /* A worker has a clock of its own. */
    if (WORKERS === 0) {
      for (let n = 0; n < 4; n++) {
        t.equal((await fetch(`${url}a.txt`)).status, 200, `after ${n} times six minutes`);
        clock.skip(half + 60_000);
      }
      clock.skip(half);
      t.equal((await fetch(`${url}a.txt`)).status, 401);
    }
    const key = newKey();
    const other = await came(port, key, OPERATOR);
    const theirs: string = (await other.call('canvas.link', {})).payload.url;
    t.equal((await fetch(`${theirs}a.txt`)).status, 200);
    await operator.call('device.pair.remove', { deviceId: key.id });
    t.equal((await fetch(`${theirs}a.txt`)).status, 401);
  },
);

t.test('types, ranges, and what has not changed', async (t) => {
  const { link, put } = await scene(t);
  const url = await link();
  put('app.js', 'export {}');
  put('data.bin', Buffer.from('0123456789'));
  put('big.bin', Buffer.alloc(3 * 1024 * 1024, 'big'));
  put('empty.css', '');
  const get = (name: string, headers: Record<string, string> = {}) => fetch(`${url}${name}`, { headers });
  for (const [name, type] of [
    ['app.js', 'text/javascript; charset=utf-8'],
    ['data.bin', 'application/octet-stream'],
    ['empty.css', 'text/css; charset=utf-8'],
  ] as const)
    t.equal((await get(name)).headers.get('content-type'), type);
  t.equal((await (await get('empty.css')).text()).length, 0);
  t.equal(Buffer.from(await (await get('big.bin')).arrayBuffer()).toString(), 'big'.repeat(1024 * 1024));
  const whole = await get('data.bin');
  const etag = whole.headers.get('etag') ?? '';
  t.equal(await whole.text(), '0123456789');
  for (const [range, status, body, said] of [
    ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
    ['bytes=7-', 206, '789', 'bytes 7-9/10'],
    ['bytes=-2', 206, '89', 'bytes 8-9/10'],
    ['bytes=8-99', 206, '89', 'bytes 8-9/10'],
    ['bytes=99-', 416, '', 'bytes */10'],
    ['bytes=-0', 416, '', 'bytes */10'],
    ['bytes=0-1,3-4', 200, '0123456789', null],
    ['bytes=5-2', 200, '0123456789', null],
    ['lines=1-2', 200, '0123456789', null],
  ] as const) {
    const answer = await get('data.bin', { range });
    t.equal(answer.status, status, range);
    t.equal(await answer.text(), body, range);
    t.equal(answer.headers.get('content-range'), said, range);
  }
  t.equal((await get('data.bin', { range: 'bytes=0-3', 'if-range': '"other"' })).status, 200);
  t.equal((await get('data.bin', { 'if-none-match': `W/${etag}, "x"` })).status, 304);
  put('data.bin', Buffer.from('0123456780'));
  t.equal((await get('data.bin', { 'if-none-match': etag })).status, 200);
  const head = await fetch(`${url}data.bin`, { method: 'HEAD' });
  t.same([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
  t.equal((await fetch(`${url}data.bin`, { method: 'POST' })).status, 405);
});

t.test('folders, and the page that is there before any other', async (t) => {
  const { link, root, put, at } = await scene(t);
  const url = await link();
  t.match(await (await fetch(url)).text(), /ready<\/p>[\s\S]*no <code>index\.html<\/code>/);
  mkdirSync(join(root, 'sub'));
  put('sub/index.html', 'SUB');
  const moved = await fetch(`${url}sub`, { redirect: 'manual' });
  t.equal(moved.status, 308);
  t.match(moved.headers.get('location'), /\/sub\/$/);
  t.match(await (await fetch(`${url}sub`)).text(), /^SUB/);
  t.equal((await fetch(`${url}nothing`)).status, 404);
  t.equal((await fetch(at('/__openclaw__/ws'))).status, 426);
  rmSync(root, { recursive: true });
  t.equal((await fetch(`${url}sub/`)).status, 404);
});

/** Ways out of a folder, spelled in every way that some server has let through. */
const hostile = (): readonly string[] => {
  const ups = [
    '..',
    '%2e%2e',
    '.%2e',
    '%2E.',
    '..%2f',
    '..%5c',
    '..\\',
    '%252e%252e',
    '..%00',
    '..;',
    '.../',
    '%c0%ae%c0%ae',
    '..%c0%af',
    '%uff0e%uff0e',
    '\u2025',
  ];
  const ends = ['secret', 'openclaw.json', 'ledger/keys.json', 'etc/passwd', 'index.html%00.png'];
  const paths: string[] = [];
  for (const up of ups)
    for (const end of ends) for (const depth of [1, 2, 8]) paths.push(`${`${up}/`.repeat(depth)}${end}`);
  return [
    ...paths,
    '/etc/passwd',
    '//etc/passwd',
    '%2fetc%2fpasswd',
    'C:/windows/win.ini',
    '.hidden',
    'sub/.hidden/x',
    'out',
    'out/secret',
    'loop',
    'pipe',
    '~/secret',
    'sub/../../secret',
    'a'.repeat(5000),
    '%',
    '%zz',
    '%ff',
    'secret%0d%0aX: y',
  ];
};

t.test('two hundred ways out of the folder, and none leads anywhere', async (t) => {
  const { port, state, root, link, put } = await scene(t);
  const url = new URL(await link());
  writeFileSync(join(state, 'secret'), 'SECRET');
  put('.hidden', 'SECRET');
  symlinkSync(state, join(root, 'out'));
  symlinkSync(join(root, 'loop'), join(root, 'loop'));
  const paths = hostile();
  t.ok(paths.length > 200, `${paths.length}`);
  for (const path of paths) {
    const { status, text } = await raw(port, `${url.pathname}${path}`);
    if (status === 200 || status === 206 || /SECRET|tokenKey|root:/.test(text)) t.fail(`${path}: ${status}`);
  }
  for (const path of ['..', '../', '../../ledger/keys.json'])
    for (const before of [`${HOME}`, '/__openclaw__/', `/__openclaw__/cap/x${HOME}`])
      t.not((await raw(port, `${before}${path}`)).status, 200, `${before}${path}`);
  t.equal((await fetch(url)).status, 200, 'and it goes on');
});

const changed = (socket: WebSocket): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(String(data)));
    socket.once('error', reject);
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
  });

t.test('a page that waits is told when a file changes; a stranger may not wait', async (t) => {
  const { link, put, port } = await scene(t);
  const url = (await link()).replace('http:', 'ws:').replace(HOME, '/__openclaw__/ws');
  const socket = new WebSocket(url);
  t.teardown(() => socket.terminate());
  await new Promise((resolve) => socket.once('open', resolve));
  /* Who watches has to have looked at the folder first. */
  let told: string | undefined;
  void changed(socket).then((text) => {
    told = text;
  });
  for (let tries = 0; told === undefined && tries < 50; tries++) {
    put('index.html', `new ${tries}`);
    await sleep(200);
  }
  t.equal(told, 'reload');
  const refused = (address: string) =>
    new Promise((resolve) => {
      const stranger = new WebSocket(address).once('unexpected-response', (_, { statusCode }) => {
        resolve(statusCode);
        stranger.terminate();
      });
      stranger.on('error', () => {});
    });
  t.equal(await refused(`ws://127.0.0.1:${port}/__openclaw__/ws`), 401);
  t.equal(await refused(`ws://127.0.0.1:${port}/__openclaw__/cap/${'y'.repeat(24)}/__openclaw__/ws`), 401);
  const more = Array.from({ length: limits.canvas.pagesOfOne - 1 }, () => new WebSocket(url));
  await Promise.all(more.map((one) => new Promise((resolve) => one.once('open', resolve))));
  /* They are counted where they are. */
  if (WORKERS === 0) t.equal(await refused(url), 503);
  for (const one of more) one.terminate();
});

t.test('what is on its way ends with its capability', async (t) => {
  const { port, put, operator } = await scene(t);
  put('long.bin', Buffer.alloc(64 * 1024 * 1024, 1));
  const key = newKey();
  const other = await came(port, key, OPERATOR);
  const url = new URL((await other.call('canvas.link', {})).payload.url);
  let bytes = 0;
  const ended = new Promise((resolve) => {
    const socket = dial(port, '127.0.0.1', () => {
      socket.write(`GET ${url.pathname}long.bin HTTP/1.1\r\nHost: x\r\n\r\n`);
      socket.pause();
      setTimeout(() => socket.resume(), 1000);
    });
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.on('close', resolve);
    socket.on('error', () => {});
  });
  await sleep(300);
  await operator.call('device.pair.remove', { deviceId: key.id });
  await ended;
  t.ok(bytes > 0 && bytes < 64 * 1024 * 1024, `${bytes} bytes`);
});

t.test('it can be off, and then nobody is told of one', async (t) => {
  const { at, operator, lines } = await scene(t, { canvasHost: { enabled: false } });
  t.equal((await fetch(at(HOME))).status, 404);
  t.equal(operator.hello.pluginSurfaceUrls, undefined);
  t.match((await operator.call('canvas.link', {})).error, { message: /canvas host unavailable/ });
  t.notMatch(lines.join('\n'), /canvas/);
});
