import { createPrivateKey, hash, type KeyObject } from 'node:crypto';
import { leafHash, type NodeReader, nodeHash, rootAt, TreeEdge } from '../../src/proof/merkle.js';
import type { Tile } from '../../src/proof/tile.js';

/* Trees in memory, and keys that are the same in every run. */

/** Leaves of different lengths, each of which says which it is. */
export const leavesOf = (size: number): readonly Buffer[] =>
  Array.from({ length: size }, (_, i) => Buffer.from(`event ${i} ${'.'.repeat(i % 7)}`));

export interface Tree {
  readonly leaves: readonly Buffer[];
  readonly node: NodeReader;
  /** The root of the first `size` leaves. */
  readonly rootAt: (size: number) => Buffer;
}

/** What an edge tells as it grows, remembered. */
export const grown = (leaves: readonly Buffer[]): Tree => {
  const nodes = new Map<string, Buffer>();
  const edge = TreeEdge.of(0);
  const roots = [edge.root()];
  for (const leaf of leaves) {
    edge.push(leafHash(leaf), (height, index, hash) => nodes.set(`${height}/${index}`, hash));
    roots.push(edge.root());
  }
  return {
    leaves,
    node: (height, index) => nodes.get(`${height}/${index}`) ?? missing(`node ${height}/${index}`),
    rootAt: (size) => roots[size] ?? missing(`root of ${size}`),
  };
};

/** A tree as large as one likes, of which one leaf is known: the others have any hashes. */
export const around = (index: number, leaf: Buffer): Tree => {
  const node: NodeReader = (height, at) => {
    if (Math.floor(index / 2 ** height) !== at) return hash('sha256', `${height}/${at}`, 'buffer');
    return height === 0 ? leafHash(leaf) : nodeHash(node(height - 1, 2 * at), node(height - 1, 2 * at + 1));
  };
  return { leaves: Object.assign([], { [index]: leaf }), node, rootAt: (size) => rootAt(size, node) };
};

const missing = (what: string): never => {
  throw new Error(`no ${what}`);
};

/** The definition of RFC 9162 §2.1.1, word by word. */
export const rootByDefinition = (leaves: readonly Buffer[]): Buffer => {
  const [only] = leaves;
  if (only !== undefined && leaves.length === 1) return leafHash(only);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(rootByDefinition(leaves.slice(0, k)), rootByDefinition(leaves.slice(k)));
};

/** The bytes of a tile. */
export const tileOf =
  (node: NodeReader) =>
  ({ level, index, width }: Tile): Buffer =>
    Buffer.concat(Array.from({ length: width }, (_, i) => node(level * 8, index * 256 + i)));

/** The same key whenever it is asked for by the same number. */
export const keyOf = (n: number): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, n)]),
    format: 'der',
    type: 'pkcs8',
  });
