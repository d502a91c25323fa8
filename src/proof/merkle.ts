import { hash } from 'node:crypto';
import { limits } from '../limits.js';

/*
 * The Merkle tree of RFC 6962 and RFC 9162: leaves and nodes are hashed apart, and a tree whose size is no power of two is a perfect
 * tree on the left of a smaller one. Whatever is called a hash here is 32 bytes of SHA-256. Sizes and positions are safe integers.
 */

export const HASH_BYTES = 32;

/** By way of a string: asking Node for a Buffer takes twice as long. */
const sha256 = (bytes: Buffer): Buffer => Buffer.from(hash('sha256', bytes, 'binary'), 'binary');

/** The root of a tree without leaves (RFC 9162 §2.1.1). */
export const EMPTY_ROOT: Buffer = sha256(Buffer.alloc(0));

/** Each event is hashed once as it is appended: what goes into the hash is put together in the same place every time. */
const leafInput = Buffer.alloc(1 + limits.ledger.eventBytes);
const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES);
nodeInput[0] = 0x01;

/** The hash of what a leaf says: SHA-256(0x00 ‖ bytes). */
export const leafHash = (bytes: Buffer): Buffer => {
  const input = bytes.length < leafInput.length ? leafInput : Buffer.alloc(1 + bytes.length);
  input.set(bytes, 1);
  return sha256(input.subarray(0, 1 + bytes.length));
};

/** The hash of two subtrees: SHA-256(0x01 ‖ left ‖ right). */
export const nodeHash = (left: Buffer, right: Buffer): Buffer => {
  nodeInput.set(hashOf(left), 1);
  nodeInput.set(hashOf(right), 1 + HASH_BYTES);
  return sha256(nodeInput);
};

/** The bytes of a leaf in place of its hash would go unnoticed until somebody checks. */
const hashOf = (bytes: Buffer): Buffer => {
  if (bytes.length !== HASH_BYTES) throw new RangeError(`a hash of ${bytes.length} bytes`);
  return bytes;
};

/** A subtree of 2^height leaves, the `index`-th of its height from the left; a leaf has height 0. */
export interface Subtree {
  readonly height: number;
  readonly index: number;
}

/** Reads the hash of a perfect subtree. */
export type NodeReader = (height: number, index: number) => Buffer;

/** The largest power of two that is not above `n` (of at least 1), and its exponent. Beyond 2^31 there is no shifting. */
export const powerUpTo = (n: number): { readonly power: number; readonly height: number } => {
  let power = 1;
  let height = 0;
  for (; power * 2 <= n; height++) power *= 2;
  return { power, height };
};

/** The perfect subtrees that a tree of this size is made of, largest first. */
export const subtreesOf = (size: number): readonly Subtree[] => between(0, size);

/** The same for the leaves from `start` up to, but without, `end`, where `start` is where a subtree of a tree begins. */
const between = (start: number, end: number): readonly Subtree[] => {
  const found: Subtree[] = [];
  for (let at = start; at < end; ) {
    const { power, height } = powerUpTo(end - at);
    found.push({ height, index: at / power });
    at += power;
  }
  return found;
};

/** The root over subtrees of falling size. */
const joined = (hashes: readonly Buffer[]): Buffer =>
  hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right));

/** Is told of a perfect subtree once its last leaf is there. */
export type Completed = (height: number, index: number, hash: Buffer) => void;

/** The right edge of a growing tree: the hashes of its perfect subtrees, which is all that the next leaf and the root need. */
export class TreeEdge {
  #size: number;
  readonly #hashes: Buffer[];

  private constructor(size: number, hashes: Buffer[]) {
    this.#size = size;
    this.#hashes = hashes;
  }

  /** The edge of a tree with these perfect subtrees (`subtreesOf`), largest first. Throws where they are not so many. */
  static of(size: number, hashes: readonly Buffer[] = []): TreeEdge {
    const needed = subtreesOf(size).length;
    if (hashes.length !== needed) throw new RangeError(`${hashes.length} subtrees, and ${size} leaves have ${needed}`);
    return new TreeEdge(size, hashes.map(hashOf));
  }

  /** Leaves so far, and the index of the next. */
  get size(): number {
    return this.#size;
  }

  /** Appends a leaf, by its hash. */
  push(leaf: Buffer, completed?: Completed): void {
    let node = hashOf(leaf);
    let index = this.#size;
    completed?.(0, index, node);
    for (let height = 1; index % 2 === 1; height++) {
      node = nodeHash(this.#hashes.pop() as Buffer, node);
      index = (index - 1) / 2;
      completed?.(height, index, node);
    }
    this.#hashes.push(node);
    this.#size++;
  }

  root(): Buffer {
    return joined(this.#hashes);
  }

  /** One that grows apart from this. */
  copy(): TreeEdge {
    return new TreeEdge(this.#size, [...this.#hashes]);
  }
}

/** The root of the leaves from `start` up to `end`. */
export const rootBetween = (start: number, end: number, node: NodeReader): Buffer =>
  joined(between(start, end).map(({ height, index }) => node(height, index)));

/** The root of the first `size` leaves of a tree. */
export const rootAt = (size: number, node: NodeReader): Buffer => rootBetween(0, size, node);
