import fc from 'fast-check';
import t from 'tap';
import { EMPTY_ROOT, leafHash, nodeHash, rootAt, subtreesOf, TreeEdge } from '../../src/proof/merkle.js';
import { grown, leavesOf, rootByDefinition } from '../support/tree.js';

/* The tree, against the reference vectors of RFC 6962 implementations and against its own definition. */

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

t.test('the eight leaves that every implementation is tested with', (t) => {
  const edge = TreeEdge.of(0);
  t.equal(edge.root().toString('hex'), ROOTS[0]);
  t.same(edge.root(), EMPTY_ROOT);
  for (const [at, leaf] of LEAVES.entries()) {
    edge.push(leafHash(Buffer.from(leaf, 'hex')));
    t.equal(edge.root().toString('hex'), ROOTS[at + 1], `${at + 1} leaves`);
    t.equal(edge.size, at + 1);
  }
  t.end();
});

t.test('hashes that were returned stay what they are when the next is made', (t) => {
  const first = leafHash(Buffer.from('first'));
  const kept = Buffer.from(first);
  const node = nodeHash(first, leafHash(Buffer.from('second')));
  nodeHash(node, node);
  t.same(first, kept);
  t.end();
});

t.test('a leaf of any length', (t) => {
  const large = leafHash(Buffer.alloc(65_535, 1));
  t.not(large.equals(leafHash(Buffer.alloc(65_534, 1))), true);
  t.equal(leafHash(Buffer.alloc(100_000)).toString('hex').length, 64);
  t.same(leafHash(Buffer.alloc(65_535, 1)), large);
  t.end();
});

t.test('the bytes of a leaf are not taken for its hash', (t) => {
  t.throws(() => TreeEdge.of(0).push(Buffer.from('an event')), { message: 'a hash of 8 bytes' });
  t.throws(() => nodeHash(Buffer.alloc(31), Buffer.alloc(32)), { message: 'a hash of 31 bytes' });
  t.end();
});

t.test('the root is that of the definition, at every size', (t) => {
  const leaves = leavesOf(600);
  const tree = grown(leaves);
  for (let size = 1; size <= leaves.length; size++) {
    const expected = rootByDefinition(leaves.slice(0, size));
    if (!tree.rootAt(size).equals(expected)) t.fail(`of the edge, ${size} leaves`);
    if (!rootAt(size, tree.node).equals(expected)) t.fail(`of its subtrees, ${size} leaves`);
  }
  t.end();
});

t.test('whoever follows an edge is told of each subtree once, when its last leaf comes', (t) => {
  const told: string[] = [];
  const edge = TreeEdge.of(0);
  for (const leaf of leavesOf(4)) {
    edge.push(leafHash(leaf), (height, index) => told.push(`${height}/${index}`));
    told.push('|');
  }
  t.equal(told.join(' '), '0/0 | 0/1 1/0 | 0/2 | 0/3 1/1 2/0 |');
  t.end();
});

t.test('an edge goes on from its subtrees, and a copy goes its own way', (t) => {
  const leaves = leavesOf(3000);
  const { node, rootAt } = grown(leaves);
  fc.assert(
    fc.property(fc.nat(2999), fc.integer({ min: 1, max: 40 }), (size, more) => {
      const edge = TreeEdge.of(
        size,
        subtreesOf(size).map(({ height, index }) => node(height, index)),
      );
      const copy = edge.copy();
      const upTo = Math.min(size + more, leaves.length);
      for (const leaf of leaves.slice(size, upTo)) copy.push(leafHash(leaf));
      return (
        edge.size === size && edge.root().equals(rootAt(size)) && copy.size === upTo && copy.root().equals(rootAt(upTo))
      );
    }),
  );
  t.throws(() => TreeEdge.of(3, [EMPTY_ROOT]), { message: '1 subtrees, and 3 leaves have 2' });
  t.end();
});

t.test('the subtrees of large trees', (t) => {
  t.same(subtreesOf(0), []);
  t.same(subtreesOf(2 ** 40 + 2 ** 33 + 1), [
    { height: 40, index: 0 },
    { height: 33, index: 128 },
    { height: 0, index: 2 ** 40 + 2 ** 33 },
  ]);
  t.equal(subtreesOf(Number.MAX_SAFE_INTEGER).length, 53);
  t.end();
});
