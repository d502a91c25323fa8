import { RFC9162 as oracle } from '@transmute/rfc9162';
import fc from 'fast-check';
import t from 'tap';
import { EMPTY_ROOT, leafHash } from '../../src/proof/merkle.js';
import { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from '../../src/proof/tree-proof.js';
import { grown, leavesOf } from '../support/tree.js';

/* Proofs hold, and nothing that was changed in one does. */

const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const reference = grown(LEAVES.map((leaf) => Buffer.from(leaf, 'hex')));
const hexes = (proof: readonly Buffer[]): readonly string[] => proof.map((hash) => hash.toString('hex'));

t.test('inclusion in the eight leaves that every implementation is tested with', (t) => {
  const cases: readonly [index: number, size: number, ...proof: string[]][] = [
    [0, 1],
    [
      0,
      8,
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
    [
      5,
      8,
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
    [2, 3, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
    [
      1,
      5,
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ];
  for (const [index, size, ...proof] of cases)
    t.same(hexes(inclusionProof(index, size, reference.node)), proof, `leaf ${index} of ${size}`);
  t.end();
});

t.test('consistency of the same', (t) => {
  const cases: readonly [oldSize: number, size: number, ...proof: string[]][] = [
    [1, 1],
    [
      1,
      8,
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
    [
      6,
      8,
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
    [
      2,
      5,
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
    [
      6,
      7,
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ];
  for (const [oldSize, size, ...proof] of cases)
    t.same(hexes(consistencyProof(oldSize, size, reference.node)), proof, `${oldSize} before ${size}`);
  t.end();
});

const SIZE = 3000;
const tree = grown(leavesOf(SIZE));
const hashAt = (index: number): Buffer => tree.node(0, index);

t.test('every leaf of every small tree, and every two sizes of it', (t) => {
  for (let size = 1; size <= 70; size++) {
    for (let index = 0; index < size; index++) {
      const proof = inclusionProof(index, size, tree.node);
      if (!verifyInclusion(hashAt(index), index, size, proof, tree.rootAt(size))) t.fail(`leaf ${index} of ${size}`);
    }
    for (let old = 0; old <= size; old++) {
      const proof = consistencyProof(old, size, tree.node);
      if (!verifyConsistency(old, size, tree.rootAt(old), tree.rootAt(size), proof)) t.fail(`${old} before ${size}`);
    }
  }
  t.end();
});

/** Everything that can be done to a list of hashes in one stroke. */
const mutations = (
  proof: readonly Buffer[],
  at: number,
  bit: number,
  stranger: Buffer,
): readonly (readonly Buffer[])[] => {
  const place = proof.length === 0 ? 0 : at % proof.length;
  const mutated: (readonly Buffer[])[] = [
    [...proof, stranger],
    [stranger, ...proof],
    proof.toSpliced(place, 0, stranger),
    [...proof, Buffer.alloc(0)],
  ];
  const hash = proof[place];
  if (hash === undefined) return mutated;
  const flipped = Buffer.from(hash);
  flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  const next = proof[(place + 1) % proof.length];
  mutated.push(proof.with(place, flipped), proof.toSpliced(place, 1), proof.slice(0, -1), proof.with(place, stranger));
  mutated.push(proof.with(place, hash.subarray(1)), proof.toSpliced(place, 0, hash));
  if (next !== undefined && next !== hash)
    mutated.push(proof.with(place, next).with((place + 1) % proof.length, hash), [...proof].reverse());
  return mutated;
};

const size = fc.integer({ min: 1, max: SIZE });
const bit = fc.nat(255);
const stranger = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));

t.test('inclusion: any leaf of any tree; nothing of it can be changed', (t) => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), fc.nat(), bit, stranger, (size, i, j, at, bit, stranger) => {
      const index = i % size;
      const other = j % SIZE;
      const proof = inclusionProof(index, size, tree.node);
      const root = tree.rootAt(size);
      const holds = (proof: readonly Buffer[]) => verifyInclusion(hashAt(index), index, size, proof, root);
      if (!holds(proof)) return false;
      if (mutations(proof, at, bit, stranger).some(holds)) return false;
      if (verifyInclusion(stranger, index, size, proof, root)) return false;
      if (verifyInclusion(hashAt(index), index, size, proof, stranger)) return false;
      if (other !== index && verifyInclusion(hashAt(index), other, size, proof, root)) return false;
      if (other !== index && verifyInclusion(hashAt(other), index, size, proof, root)) return false;
      // The size is no part of what is hashed: who claims another needs its root, too.
      return other + 1 === size || !verifyInclusion(hashAt(index), index, other + 1, proof, tree.rootAt(other + 1));
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('consistency: any two sizes; nothing of it can be changed', (t) => {
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), fc.nat(), bit, stranger, (size, i, j, at, bit, stranger) => {
      const oldSize = 1 + (i % size);
      const other = 1 + (j % SIZE);
      const proof = consistencyProof(oldSize, size, tree.node);
      const [oldRoot, root] = [tree.rootAt(oldSize), tree.rootAt(size)];
      const holds = (proof: readonly Buffer[]) => verifyConsistency(oldSize, size, oldRoot, root, proof);
      if (!holds(proof)) return false;
      if (mutations(proof, at, bit, stranger).some(holds)) return false;
      if (verifyConsistency(oldSize, size, stranger, root, proof)) return false;
      if (verifyConsistency(oldSize, size, oldRoot, stranger, proof)) return false;
      if (oldSize !== size && verifyConsistency(oldSize, size, root, oldRoot, proof)) return false;
      // As above, of either size.
      if (other !== oldSize && verifyConsistency(other, size, tree.rootAt(other), root, proof)) return false;
      return other === size || !verifyConsistency(oldSize, other, oldRoot, tree.rootAt(other), proof);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('a tree with another past is not consistent, wherever it differs', (t) => {
  const leaves = leavesOf(300);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), fc.nat(), (size, i, j) => {
      const oldSize = 1 + (i % size);
      const forged = grown(leaves.slice(0, size).with(j % oldSize, Buffer.from('never happened')));
      const proof = consistencyProof(oldSize, size, forged.node);
      return !verifyConsistency(oldSize, size, tree.rootAt(oldSize), forged.rootAt(size), proof);
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('whatever cannot be right is false, and takes no time', (t) => {
  const hash = leafHash(Buffer.alloc(0));
  const long = Array.from({ length: 100_000 }, () => hash);
  for (const n of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, -0.5]) {
    t.equal(verifyInclusion(hash, n, 2 ** 52, [], hash), false, `index ${n}`);
    t.equal(verifyInclusion(hash, 0, n, [], hash), false, `size ${n}`);
    t.equal(verifyConsistency(n, 2 ** 52, hash, hash, [hash]), false, `older size ${n}`);
    t.equal(verifyConsistency(1, n, hash, hash, [hash]), false, `newer size ${n}`);
  }
  t.equal(verifyInclusion(hash, 0, Number.MAX_SAFE_INTEGER, long, hash), false);
  t.equal(verifyConsistency(1, Number.MAX_SAFE_INTEGER, hash, hash, long), false);
  t.equal(verifyInclusion(hash, 0, 1, [], hash.subarray(1)), false, 'a root of 31 bytes');
  t.equal(verifyInclusion(hash.subarray(1), 0, 1, [], hash.subarray(1)), false, 'a leaf of 31 bytes');
  t.equal(verifyInclusion(hash, 1, 1, [], hash), false, 'a leaf beyond the last');
  t.equal(verifyConsistency(2, 1, hash, hash, []), false, 'a tree that shrank');
  t.equal(verifyConsistency(1, 2, hash, hash, []), false, 'no proof at all');
  t.end();
});

t.test('the empty tree is the beginning of every other', (t) => {
  const root = tree.rootAt(9);
  t.equal(verifyConsistency(0, 9, EMPTY_ROOT, root, []), true);
  t.equal(verifyConsistency(0, 9, root, root, []), false);
  t.equal(verifyConsistency(0, 9, EMPTY_ROOT, root, [root]), false);
  t.equal(verifyConsistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, []), true);
  t.equal(verifyConsistency(0, 0, root, root, []), false);
  t.end();
});

t.test('what cannot be proven is refused', (t) => {
  t.throws(() => inclusionProof(3, 3, tree.node), { message: 'no leaf 3 in a tree of 3' });
  t.throws(() => consistencyProof(4, 3, tree.node), { message: '4 leaves before 3' });
  t.end();
});

/*
 * An implementation that others made. Where the older tree is one whole subtree it puts the older root before the proof, which RFC 9162
 * §2.1.4.2 has the verifier do, and looks for a leaf by what it says.
 */
t.test('as another implementation has it', async (t) => {
  const isPower = (n: number): boolean => Number.isInteger(Math.log2(n));
  for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 100]) {
    const leaves = tree.leaves.slice(0, size);
    t.same(Buffer.from(await oracle.treeHead([...leaves])), tree.rootAt(size), `root of ${size}`);
    for (const index of new Set([0, 1, size >> 1, size - 2, size - 1].filter((index) => index >= 0 && index < size))) {
      const theirs = await oracle.inclusionProof(leaves[index] as Buffer, [...leaves]);
      t.same(
        theirs.inclusion_path.map(Buffer.from),
        inclusionProof(index, size, tree.node),
        `leaf ${index} of ${size}`,
      );
      t.equal(await oracle.verifyInclusionProof(tree.rootAt(size), hashAt(index), theirs), true);
    }
    for (const oldSize of new Set([1, 2, 3, 4, size >> 1, size - 1].filter((old) => old > 0 && old < size))) {
      const before = { log_id: '', tree_size: oldSize, leaf_index: 0, inclusion_path: [] };
      const { consistency_path } = await oracle.consistencyProof(before, [...leaves]);
      const ours = consistencyProof(oldSize, size, tree.node);
      const expected = isPower(oldSize) ? [tree.rootAt(oldSize), ...ours] : ours;
      t.same(consistency_path.map(Buffer.from), expected, `${oldSize} before ${size}`);
    }
  }
});
