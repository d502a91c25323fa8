import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FreePages } from './free-pages.js';

/*
 * LMDB maps its file and trusts it: opening one that is foreign or cut short kills the process (SIGSEGV, SIGBUS). So its two
 * meta pages are read first, as plain bytes. Layout of lmdb-js 3.5: 24 bytes of page header, then magic u32, version u32,
 * address u64, map size u64, two trees of 48 bytes (the first begins with the page size, u32), last page u64, transaction u64.
 */

const HEADER = 24;
const MAGIC = 0xbeefc0de;
const PAGE_SIZE_AT = HEADER + 24;
/** The page where the tree of free pages begins. */
const FREE_ROOT_AT = HEADER + 24 + 40;
const LAST_PAGE_AT = HEADER + 24 + 2 * 48;
const TRANSACTION_AT = LAST_PAGE_AT + 8;
const META_BYTES = TRANSACTION_AT + 8;

interface Meta {
  readonly pageSize: number;
  readonly freeRoot: bigint;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/** What is wrong with the file, if anything. A file that does not exist yet is fine. */
export const faultOf = (file: string): string | undefined => {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return fstatSync(fd).size === 0 ? undefined : faultIn(fd);
  } finally {
    closeSync(fd);
  }
};

/** Number of the last transaction in the file. */
export const lastTransactionOf = (file: string): number => {
  const fd = openSync(file, 'r');
  try {
    const metas = metasOf(fd);
    if (metas === undefined) throw new Error(`${file} is not an LMDB file`);
    return Math.max(...metas.map(({ transaction }) => Number(transaction)));
  } finally {
    closeSync(fd);
  }
};

const faultIn = (fd: number): string | undefined => {
  const [first, second] = metasOf(fd) ?? [];
  if (first === undefined || second === undefined) return 'its file is not an LMDB file';
  const last = second.transaction > first.transaction ? second : first;
  const expected = (last.lastPage + 1n) * BigInt(last.pageSize);
  /* Only now, as it grows while another process writes it. */
  const { size } = fstatSync(fd);
  if (BigInt(size) >= expected || endsFree(fd, size, last)) return undefined;
  return `its file was cut short: ${size} of at least ${expected} bytes`;
};

/** The pages after its end are free: they were taken and given back in one commit, and so were never written. */
const endsFree = (fd: number, size: number, { pageSize, freeRoot, lastPage }: Meta): boolean => {
  try {
    const free = new FreePages(fd, size, pageSize, Number(freeRoot));
    for (let page = Math.floor(size / pageSize); page <= Number(lastPage); page++) if (!free.has(page)) return false;
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const metasOf = (fd: number): readonly [Meta, Meta] | undefined => {
  const first = metaAt(fd, 0);
  const second = first && metaAt(fd, first.pageSize);
  return first && second && [first, second];
};

const metaAt = (fd: number, at: number): Meta | undefined => {
  const page = Buffer.alloc(META_BYTES);
  if (readSync(fd, page, 0, META_BYTES, at) < META_BYTES || page.readUInt32LE(HEADER) !== MAGIC) return undefined;
  return {
    pageSize: page.readUInt32LE(PAGE_SIZE_AT),
    freeRoot: page.readBigUInt64LE(FREE_ROOT_AT),
    lastPage: page.readBigUInt64LE(LAST_PAGE_AT),
    transaction: page.readBigUInt64LE(TRANSACTION_AT),
  };
};
