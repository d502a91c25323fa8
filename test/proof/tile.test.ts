import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import t from 'tap';
import { leafHash, rootAt } from '../../src/proof/merkle.js';
import {
  bundleOf,
  entriesAt,
  entriesIn,
  entriesPath,
  nodesOf,
  type Tile,
  tileAt,
  tilePath,
  tilesOf,
} from '../../src/proof/tile.js';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '../../src/proof/tree-proof.js';
import { right } from '../support/either.js';
import { grown, leavesOf, tileOf } from '../support/tree.js';

t.test('where a tile lies', (t) => {
  t.equal(tilePath({ level: 0, index: 1234067, width: 256 }), 'tile/0/x001/x234/067');
  t.equal(tilePath({ level: 1, index: 0, width: 17 }), 'tile/1/000.p/17');
  t.equal(tilePath({ level: 2, index: 1000, width: 1 }), 'tile/2/x001/000.p/1');
  t.equal(entriesPath({ index: 273, width: 112 }), 'tile/entries/273.p/112');
  t.equal(entriesPath({ index: 999, width: 256 }), 'tile/entries/999');
  t.end();
});

const level = fc.nat(63);
const index = fc.oneof(fc.nat(3000), fc.maxSafeNat());
const width = fc.integer({ min: 1, max: 256 });

t.test('and back', (t) => {
  fc.assert(
    fc.property(level, index, width, (level, index, width) => {
      t.same(right(tileAt(tilePath({ level, index, width }))), { level, index, width });
      t.same(right(entriesAt(entriesPath({ index, width }))), { index, width });
    }),
    { numRuns: 200 },
  );
  const no = [
    '',
    'tile/0/67',
    'tile/0/0067',
    'tile/00/067',
    'tile/64/067',
    'tile/0/x000/067',
    'tile/0/001/067',
    'tile/0/x001',
    'tile/0/067.p/0',
    'tile/0/067.p/256',
    'tile/0/067.p/07',
    'tile/0/067.p/257',
    'tile/0/067/',
    '/tile/0/067',
    'tile/0/067\n',
    'tile/-1/067',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/../067',
  ];
  for (const path of no) t.notOk(isRight(tileAt(path)), path);
  t.notOk(isRight(tileAt('tile/entries/067')));
  t.notOk(isRight(entriesAt('tile/0/067')));
  t.end();
});

t.test('all tiles of a tree of 70,000', (t) => {
  const tiles = [...tilesOf(70_000)];
  const counted = (level: number, full: boolean) =>
    tiles.filter((tile) => tile.level === level && (tile.width === 256) === full);
  t.equal(counted(0, true).length, 273);
  t.same(counted(0, false), [{ level: 0, index: 273, width: 112 }]);
  t.same(counted(1, true), [{ level: 1, index: 0, width: 256 }]);
  t.same(counted(1, false), [{ level: 1, index: 1, width: 17 }]);
  t.same(counted(2, false), [{ level: 2, index: 0, width: 1 }]);
  t.equal(tiles.length, 273 + 1 + 1 + 1 + 1);
  t.same(
    [...tilesOf(256)],
    [
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ],
  );
  t.same([...tilesOf(0)], []);
  t.end();
});

t.test('leaves in a bundle', (t) => {
  t.same(bundleOf([Buffer.from('ab'), Buffer.alloc(0)]), Buffer.from([0, 2, 0x61, 0x62, 0, 0]));
  const entries = fc.array(
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 256 },
  );
  fc.assert(
    fc.property(entries, (entries) => void t.same(right(entriesIn(bundleOf(entries), entries.length)), entries)),
    {
      numRuns: 50,
    },
  );
  const largest = Buffer.alloc(65_535, 7);
  t.same(right(entriesIn(bundleOf([largest]), 1)), [largest]);
  t.throws(() => bundleOf([Buffer.alloc(65_536)]), { message: 'a leaf of 65536 bytes' });
  t.end();
});

t.test('a bundle that somebody else made', (t) => {
  const bundle = bundleOf([Buffer.from('ab'), Buffer.from('c')]);
  t.match(entriesIn(bundle, 1), { left: 'more than 1 leaves' });
  t.match(entriesIn(bundle, 3), { left: '2 leaves instead of 3' });
  t.match(entriesIn(bundle.subarray(0, -1), 2), { left: 'cut short in the middle of leaf 1' });
  t.match(entriesIn(bundle.subarray(0, 5), 2), { left: 'cut short in the middle of leaf 1' });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(256), (bytes, width) => {
      entriesIn(Buffer.from(bytes), width);
    }),
  );
  t.end();
});

const SIZE = 70_000;
const tree = grown(leavesOf(SIZE));

/** Tiles of the tree, and how often each was read. */
const shelf = () => {
  const reads = new Map<string, number>();
  const tiles = tileOf(tree.node);
  const read = (tile: Tile): Buffer => {
    const path = tilePath(tile);
    reads.set(path, (reads.get(path) ?? 0) + 1);
    return tiles(tile);
  };
  return { read, reads };
};

t.test('the hashes read out of tiles are those that were told as the tree grew', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: SIZE }), fc.nat(16), fc.nat(), (size, height, i) => {
      const count = Math.floor(size / 2 ** height);
      if (count === 0) return true;
      const index = i % count;
      return nodesOf(shelf().read, size)(height, index).equals(tree.node(height, index));
    }),
    { numRuns: 500 },
  );
  t.end();
});

t.test('proofs out of tiles alone', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: SIZE }), fc.nat(), fc.nat(), (size, i, j) => {
      const node = nodesOf(shelf().read, size);
      const [index, oldSize] = [i % size, 1 + (j % size)];
      const root = rootAt(size, node);
      return (
        root.equals(tree.rootAt(size)) &&
        verifyInclusion(tree.node(0, index), index, size, inclusionProof(index, size, node), root) &&
        verifyConsistency(oldSize, size, rootAt(oldSize, node), root, consistencyProof(oldSize, size, node))
      );
    }),
    { numRuns: 200 },
  );
  t.end();
});

t.test('a tile is read once for neighbours', (t) => {
  const { read, reads } = shelf();
  const node = nodesOf(read, SIZE);
  for (let index = 0; index < 512; index++) inclusionProof(index, SIZE, node);
  t.ok([...reads.values()].every((times) => times === 1));
  t.end();
});

t.test('more tiles than are kept are read again, and are the same', (t) => {
  const { read, reads } = shelf();
  const node = nodesOf(read, SIZE);
  for (const round of [1, 2])
    for (let index = 0; index < SIZE; index += 256)
      if (!node(0, index).equals(leafHash(tree.leaves[index] as Buffer))) t.fail(`leaf ${index} in round ${round}`);
  t.equal(reads.get('tile/0/000'), 2);
  t.end();
});

t.test('a tile of another length is named', (t) => {
  const node = nodesOf((tile) => tileOf(tree.node)(tile).subarray(1), 300);
  t.throws(() => node(0, 299), { message: 'tile/0/001.p/44 has 1407 bytes instead of 1408' });
  t.throws(() => nodesOf(tileOf(tree.node), 300)(0, 512), { message: /is not in the tree/ });
  t.end();
});
