import { EMPTY_ROOT, HASH_BYTES, type NodeReader, nodeHash, powerUpTo, rootBetween } from './merkle.js';

/*
 * What shows that a leaf is in a tree, and that one tree is the beginning of another (RFC 9162 §2.1.3 and §2.1.4): a few hashes of
 * the subtrees that the reader has not got. Whoever checks computes a root from them and compares.
 */

/** Where the left subtree of a tree of these leaves, at least two, ends: after the largest power of two below their number. */
const middleOf = (start: number, end: number): number => start + powerUpTo(end - start - 1).power;

/**
 * The way from a leaf to the root of a tree of `size` leaves: the sibling of the leaf first (RFC 9162 §2.1.3.1).
 * Throws where the tree has no such leaf.
 */
export const inclusionProof = (index: number, size: number, node: NodeReader): readonly Buffer[] => {
  if (!(isCount(index) && isCount(size) && index < size)) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
  const siblings: Buffer[] = [];
  for (let start = 0, end = size; end - start > 1; ) {
    const middle = middleOf(start, end);
    if (index < middle) {
      siblings.push(rootBetween(middle, end, node));
      end = middle;
    } else {
      siblings.push(rootBetween(start, middle, node));
      start = middle;
    }
  }
  return siblings.reverse();
};

/**
 * That a tree of `size` leaves begins with the tree of its first `oldSize` (RFC 9162 §2.1.4.1); nothing has to be shown of an empty
 * tree, or of the same. Throws where the older tree is the larger.
 */
export const consistencyProof = (oldSize: number, size: number, node: NodeReader): readonly Buffer[] => {
  if (!(isCount(oldSize) && isCount(size) && oldSize <= size)) throw new RangeError(`${oldSize} leaves before ${size}`);
  if (oldSize === 0) return [];
  const hashes: Buffer[] = [];
  let start = 0;
  for (let end = size; end !== oldSize; ) {
    const middle = middleOf(start, end);
    if (oldSize <= middle) {
      hashes.push(rootBetween(middle, end, node));
      end = middle;
    } else {
      hashes.push(rootBetween(start, middle, node));
      start = middle;
    }
  }
  // Whoever checks knows the older root, and so this hash if the older tree is one subtree of the newer.
  if (start > 0) hashes.push(rootBetween(start, oldSize, node));
  return hashes.reverse();
};

/**
 * Is this the leaf at `index` of the tree of `size` leaves with this root (RFC 9162 §2.1.3.2)? All of it may come from an attacker:
 * whatever cannot be right is false, and the work is bounded by the height of the tree.
 */
export const verifyInclusion = (
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean => {
  if (!(isCount(index) && isCount(size) && index < size)) return false;
  if (!(isHash(leaf) && isHash(root) && areHashes(proof))) return false;
  const way = new Way(index, size - 1);
  let reached = leaf;
  for (const sibling of proof) {
    if (way.ended) return false;
    reached = way.up() === 'left' ? nodeHash(sibling, reached) : nodeHash(reached, sibling);
  }
  return way.ended && reached.equals(root);
};

/**
 * Is the tree of `oldSize` leaves the beginning of the one of `size` (RFC 9162 §2.1.4.2)? The empty tree is the beginning of any. All
 * of it may come from an attacker: whatever cannot be right is false, and the work is bounded by the height of the tree.
 */
export const verifyConsistency = (
  oldSize: number,
  size: number,
  oldRoot: Buffer,
  root: Buffer,
  proof: readonly Buffer[],
): boolean => {
  if (!(isCount(oldSize) && isCount(size) && oldSize <= size)) return false;
  if (!(isHash(oldRoot) && isHash(root) && areHashes(proof))) return false;
  if (oldSize === size) return proof.length === 0 && oldRoot.equals(root) && (size > 0 || root.equals(EMPTY_ROOT));
  if (oldSize === 0) return proof.length === 0 && oldRoot.equals(EMPTY_ROOT);

  const way = new Way(oldSize - 1, size - 1);
  way.skipRight();
  // The subtree from which both roots are computed is the whole older tree, or else the proof begins with it.
  const [begin, ...hashes] = way.atLeftEdge ? [oldRoot, ...proof] : proof;
  if (begin === undefined) return false;
  let older = begin;
  let newer = begin;
  for (const sibling of hashes) {
    if (way.ended) return false;
    if (way.up() === 'left') {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
    } else {
      newer = nodeHash(newer, sibling);
    }
  }
  return way.ended && older.equals(oldRoot) && newer.equals(root);
};

/** The way up from a node, with the last node of its height: `fn` and `sn` of the RFC, as numbers beyond 2^31. */
class Way {
  #node: number;
  #last: number;

  constructor(node: number, last: number) {
    this.#node = node;
    this.#last = last;
  }

  /** At the root. */
  get ended(): boolean {
    return this.#last === 0;
  }

  get atLeftEdge(): boolean {
    return this.#node === 0;
  }

  /** One step up, to a parent whose other child, the sibling, is on this side; heights at which there is no sibling are passed. */
  up(): 'left' | 'right' {
    const side = this.#node % 2 === 1 || this.#node === this.#last ? 'left' : 'right';
    if (side === 'left') while (this.#node % 2 === 0 && this.#node > 0) this.#raise();
    this.#raise();
    return side;
  }

  /** Up as long as this is a right child: to the largest subtree that ends with it. */
  skipRight(): void {
    while (this.#node % 2 === 1) this.#raise();
  }

  #raise(): void {
    this.#node = Math.floor(this.#node / 2);
    this.#last = Math.floor(this.#last / 2);
  }
}

/** A tree of 2^53 leaves is 53 high, so that no proof is longer. */
const LONGEST = 53;

const areHashes = (proof: readonly Buffer[]): boolean => proof.length <= LONGEST && proof.every(isHash);
const isHash = (bytes: Buffer): boolean => bytes.length === HASH_BYTES;
const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;
