import t from 'tap';
import { Unable } from '../../bench/arguments.js';
import { checkRoom } from '../../bench/room.js';

const ROOM = { descriptors: { soft: 1024, hard: 20_000 }, memoryMiB: 4000 };
const ONE = { processes: 2, workers: 1 };

t.test('what fits is let through, whatever the soft limit', async () => {
  checkRoom('idle', { sockets: 18_000, memoryMiB: 2000 }, ONE, ROOM);
});

t.test('more sockets than the server may have', async (t) => {
  const check = () => checkRoom('idle', { sockets: 30_000, memoryMiB: 1 }, ONE, ROOM);
  t.throws(check, /idle needs 30,200 descriptors in the server, and this shell allows 20,000 .*soft 1,024/);
  t.throws(check, /--connections 19800/);
  t.throws(check, Unable);
});

t.test('more sockets than a client process may have', async (t) => {
  t.throws(
    () => checkRoom('workers', { sockets: 90_000, memoryMiB: 1 }, { processes: 2, workers: 5 }, ROOM),
    /a client process.*say --processes 5/,
  );
});

t.test('spread over processes and workers they fit', async () => {
  checkRoom('workers', { sockets: 90_000, memoryMiB: 1 }, { processes: 6, workers: 5 }, ROOM);
});

t.test('more memory than is free', async (t) => {
  t.throws(() => checkRoom('idle', { sockets: 1, memoryMiB: 5000 }, ONE, ROOM), /5,000 MiB of memory, and 4,000 MiB/);
});
