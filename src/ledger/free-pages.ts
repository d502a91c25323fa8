import { readSync } from 'node:fs';

/*
 * The pages of an LMDB file that hold nothing, as its free list names them: a tree whose values are lists of page numbers. Needed where the file is
 * shorter than the pages that were ever taken: one that was taken and given back in the same commit was never written, and if it was the last
 * there is nothing missing. Layout of lmdb-js 3.5: a page has a header of 24 bytes (its kind, u16, at 18; then two bytes for each of its nodes, u16)
 * and then where its nodes are, from the end of the header; a node has its size or the page below it (u16, u16), flags (u16), the size of its
 * key (u16), the key and the value. A list begins with how many numbers follow (64 bits each): 0 is none, -n before a page says that n pages begin there.
 */

const HEADER = 24;
const KIND_AT = 18;
const NODES_AT = 20;
const NODE_HEADER = 8;
const BRANCH = 0x01;
const LEAF = 0x02;
/** The value of a node has pages of its own, and the node their number. */
const ELSEWHERE = 0x01;
const NUMBER = 8;
const DEEPEST = 32;

/** Throws RangeError where the file is too short for the list itself, or it is no list. */
export class FreePages {
  private readonly ranges: (readonly [first: number, count: number])[] = [];
  /** It has no more pages than the file; a damaged one may lead in circles. */
  private pagesLeft: number;

  constructor(
    private readonly fd: number,
    private readonly size: number,
    private readonly pageSize: number,
    root: number,
  ) {
    this.pagesLeft = size / pageSize;
    this.walk(root, 0);
  }

  has(page: number): boolean {
    return this.ranges.some(([first, count]) => page >= first && page < first + count);
  }

  private walk(number: number, depth: number): void {
    if (this.pagesLeft-- <= 0) throw new RangeError('it is no tree');
    const page = this.read(number * this.pageSize, this.pageSize);
    const kind = page.readUInt16LE(KIND_AT);
    if (depth > DEEPEST || (kind & (BRANCH | LEAF)) === 0) throw new RangeError('it is no tree');
    for (let at = HEADER; at < HEADER + page.readUInt16LE(NODES_AT); at += 2) {
      const node = page.subarray(HEADER + page.readUInt16LE(at));
      const [low, high, flags, keyBytes] = [0, 2, 4, 6].map((offset) => node.readUInt16LE(offset)) as [
        number,
        number,
        number,
        number,
      ];
      if ((kind & BRANCH) !== 0) this.walk(low + high * 2 ** 16 + flags * 2 ** 32, depth + 1);
      else this.list(node.subarray(NODE_HEADER + keyBytes), low + high * 2 ** 16, (flags & ELSEWHERE) !== 0);
    }
  }

  private list(value: Buffer, bytes: number, elsewhere: boolean): void {
    const list = elsewhere
      ? this.read(Number(value.readBigUInt64LE(0)) * this.pageSize + HEADER, bytes)
      : value.subarray(0, bytes);
    const entries = Array.from({ length: Number(list.readBigUInt64LE(0)) }, (_, i) =>
      Number(list.readBigInt64LE(NUMBER * (i + 1))),
    );
    let count = 1;
    for (const entry of entries) {
      if (entry > 0) this.ranges.push([entry, count]);
      count = entry < 0 ? -entry : 1;
    }
  }

  private read(at: number, bytes: number): Buffer {
    if (at + bytes > this.size) throw new RangeError('it is cut short');
    const read = Buffer.alloc(bytes);
    if (readSync(this.fd, read, 0, bytes, at) < bytes) throw new RangeError('it is cut short');
    return read;
  }
}
