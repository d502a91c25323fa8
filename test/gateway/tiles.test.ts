import { connect as dial } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Tiles } from '../../src/gateway/tiles.js';
import { WorkBudget } from '../../src/gateway/work-budget.js';
import { SegmentUnreadable } from '../../src/ledger/damage.js';
import type { Reader } from '../../src/ledger/reader.js';
import { Store } from '../../src/ledger/store.js';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { entriesPath, tilePath } from '../../src/proof/tile.js';
import { connect, newKey } from '../support/device.js';
import { right } from '../support/either.js';
import { running, TOKEN } from '../support/gateway.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';
import { checkpointOf } from '../support/log.js';
import { askedOf, readWhole, stateWith } from '../support/outsider.js';
import { grown, leavesOf } from '../support/tree.js';
import { TestClock } from '../support/world.js';

/* The log over plain HTTP, for whoever wants to check it and trusts nothing that runs here. */

const ON = { audit: { tiles: true } };

t.test('with fetch and the key of the log alone: every event, every tile, the root, the signature', async (t) => {
  const state = await stateWith(t, 700);
  const { port, lines } = await running(t, { state, config: ON });
  t.match(lines.join('\n'), /whoever reaches the port can read it/);
  const { key } = await askedOf(state);
  const read = async (path: string): Promise<Buffer> => {
    const answer = await fetch(`http://127.0.0.1:${port}/${path}`);
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const { leaves, signed } = await readWhole(read, key);
  t.equal(leaves.length, signed.checkpoint.size);
  t.ok(leaves.length > 700);
  const store = new Store({ path: join(state, 'ledger'), readOnly: true });
  t.ok(store.extent().count < leaves.length - 100, 'also those that lie in the archive');
  await store.close();
  t.notOk(
    leaves.some((leaf) => leaf.includes('"address"') || leaf.includes(TOKEN)),
    'and nothing personal or secret',
  );
});

t.test('content types and caches', async (t) => {
  const state = await stateWith(t, 300);
  const { port } = await running(t, { state, config: ON });
  await askedOf(state);
  const url = `http://127.0.0.1:${port}`;
  const checkpoint = await fetch(`${url}/checkpoint`);
  t.equal(checkpoint.headers.get('content-type'), 'text/plain; charset=utf-8');
  t.equal(checkpoint.headers.get('cache-control'), 'no-cache');
  t.equal(checkpoint.headers.get('access-control-allow-origin'), null, 'no page of somebody else reads it');
  for (const path of ['tile/0/000', 'tile/entries/000', 'tile/0/000.p/7', 'tile/1/000.p/1']) {
    const answer = await fetch(`${url}/${path}`);
    t.equal(answer.headers.get('content-type'), 'application/octet-stream', path);
    t.equal(answer.headers.get('cache-control'), 'public, max-age=31536000, immutable', path);
  }
  const head = await fetch(`${url}/tile/0/000`, { method: 'HEAD' });
  t.equal(head.headers.get('content-length'), '8192');
  t.equal((await head.arrayBuffer()).byteLength, 0);
});

t.test('nothing else: no other path, no other method, and without the switch none at all', async (t) => {
  const state = await stateWith(t, 300);
  const { port } = await running(t, { state, config: ON });
  await askedOf(state);
  /* As it is on the wire: fetch would tidy a path up. */
  const status = (method: string, path: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = dial(port, '127.0.0.1', () =>
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
      );
      socket.once('data', (data) => {
        resolve(String(data).split(' ')[1] ?? '');
        socket.destroy();
      });
    });
  for (const path of [
    ...['/tile/', '/tile/0', '/tile/0/000.p/0', '/tile/0/000.p/256', '/tile/0/999', '/tile/64/000', '/tile/00/000'],
    ...[
      '/tile/../keys.json',
      '/tile/entries/../../keys.json',
      '/tile/0/..%2f..%2fkeys.json',
      '/tile/0/000/',
      '//checkpoint',
    ],
    ...[
      '/checkpoint.next',
      '/checkpoint/',
      '/tile/entries/x999/999',
      '/tile/0/000.p/1/2',
      '/ledger/data.mdb',
      '/TILE/0/000',
    ],
  ])
    t.equal(await status('GET', path), '404', path);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    t.equal(await status(method, '/checkpoint'), '405', method);
  t.equal(await status('GET', '/checkpoint?now'), '200');

  const off = await running(t);
  await askedOf(off.state);
  t.equal((await fetch(`http://127.0.0.1:${off.port}/checkpoint`)).status, 404);
  t.notOk(off.lines.some((line) => line.includes('/checkpoint')));
});

t.test('never beyond the checkpoint, and partial tiles of the past stay', async (t) => {
  const ledger = await openLedger(folder(t));
  await write(ledger, ...Array.from({ length: 5 }, (_, n) => ticked(n)));
  const root = ledger.rootAt(3);
  const latest = right(openCheckpoint(checkpointOf({ ...grown(leavesOf(3)), rootAt: () => root }, 3)));
  const tiles = new Tiles({ clock: new TestClock(), log: ledger.log, checkpoints: { latest }, damaged: () => {} });
  const status = (path: string) => tiles.answer('get', `/${path}`, 'here')?.status;
  for (const width of [1, 2, 3]) t.equal(status(tilePath({ level: 0, index: 0, width })), '200 OK');
  t.equal(status(entriesPath({ index: 0, width: 3 })), '200 OK');
  t.equal(status(tilePath({ level: 0, index: 0, width: 4 })), '404 Not Found');
  t.equal(status(entriesPath({ index: 0, width: 4 })), '404 Not Found');
  t.equal(status(tilePath({ level: 0, index: 0, width: 256 })), '404 Not Found');
  await ledger.close();
});

t.test('a part that cannot be read is said to be, to whoever asks, and once to us', (t) => {
  const told: string[] = [];
  const segment = new SegmentUnreadable({ segment: 's', from: 1, to: 3 }, 'its file is missing');
  const log = {
    appends: () => {
      throw segment;
    },
  } as unknown as Reader;
  const latest = right(openCheckpoint(checkpointOf(grown(leavesOf(3)), 3)));
  const damaged = ({ message }: Error) => told.push(message);
  const tiles = new Tiles({ clock: new TestClock(), log, checkpoints: { latest }, damaged });
  for (const _ of [1, 2]) t.match(tiles.answer('get', '/tile/entries/000.p/3', ''), { status: /^500/ });
  t.same(told, [segment.message]);
  const unsigned = new Tiles({ clock: new TestClock(), log, checkpoints: { latest: undefined }, damaged });
  t.match(unsigned.answer('get', '/checkpoint', ''), { status: /^404/ });
  t.end();
});

t.test('work is done on credit, and time pays for it: for each source, and for all', (t) => {
  const clock = new TestClock();
  const budget = new WorkBudget(clock, { total: 200, perSource: 100 });
  t.same(budget.wait('a'), { all: 0, source: 0 });
  budget.spend('a', 450);
  t.same(budget.wait('a'), { all: 2, source: 4 });
  t.same(budget.wait('b'), { all: 2, source: 0 });
  clock.pass(1300);
  t.same(budget.wait('b'), { all: 0, source: 0 });
  t.same(budget.wait('a'), { all: 0, source: 3 });
  clock.pass(60_000);
  budget.spend('a', 99);
  t.same(budget.wait('a'), { all: 0, source: 0 }, 'what was not used is not saved up');
  budget.spend('a', 2);
  t.same(budget.wait('a'), { all: 0, source: 1 });
  t.end();
});

t.test('a flood is answered so much of it, and connections do not feel it', async (t) => {
  const state = await stateWith(t, 300);
  const { port } = await running(t, { state, config: ON });
  await askedOf(state);
  const counted = new Map<number, number>();
  let flooding = true;
  const stranger = async (): Promise<void> => {
    while (flooding) {
      const answer = await fetch(`http://127.0.0.1:${port}/tile/entries/000`);
      await answer.arrayBuffer();
      if (answer.status === 429 && answer.headers.get('retry-after') === null) t.fail('429 without retry-after');
      counted.set(answer.status, (counted.get(answer.status) ?? 0) + 1);
    }
  };
  const strangers = Array.from({ length: 20 }, stranger);
  while ((counted.get(429) ?? 0) < 200) await new Promise((resolve) => setTimeout(resolve, 20));
  const begun = performance.now();
  for (let n = 0; n < 10; n++) {
    const { answer, wire } = await connect(port, newKey(), { auth: { token: TOKEN } });
    t.equal(answer.ok, true);
    wire.end();
  }
  t.comment(`10 handshakes in ${Math.round(performance.now() - begun)} ms beside ${JSON.stringify([...counted])}`);
  flooding = false;
  await Promise.all(strangers);
  t.ok((counted.get(200) ?? 0) > 0);
  t.same([...counted.keys()].sort(), [200, 429]);
});
