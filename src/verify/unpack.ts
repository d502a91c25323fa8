import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extract, list, type ReadEntry } from 'tar';
import { limits } from '../limits.js';

/** A tar file that is none, or that would write where it has no business. */
export class BadArchive extends Error {
  override readonly name = 'BadArchive';
}

export interface Unpacked {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Unpacks a tar file, compressed or not, into a folder of its own. It is looked through before anything is written. */
export const unpacked = async (file: string): Promise<Unpacked> => {
  await lookThrough(file);
  const folder = await mkdtemp(join(tmpdir(), 'clawledger-verify-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await extract({ file, cwd: folder, strict: true, noMtime: true });
    return { folder: innermost(folder), remove };
  } catch (error) {
    await remove();
    throw new BadArchive(`${file} cannot be unpacked: ${(error as Error).message}`);
  }
};

const lookThrough = async (file: string): Promise<void> => {
  let bytes = 0;
  let entries = 0;
  let fault: string | undefined;
  const look = (entry: ReadEntry): void => {
    entries++;
    bytes += entry.size;
    fault ??= faultOf(entry) ?? tooMuch(bytes, entries);
  };
  try {
    await list({ file, strict: true, onReadEntry: look });
  } catch (error) {
    throw new BadArchive(`${file} is not a tar file: ${(error as Error).message}`);
  }
  if (entries === 0) throw new BadArchive(`${file} is not a tar file, or has nothing in it`);
  if (fault !== undefined) throw new BadArchive(`${file} is refused, and nothing of it was unpacked: ${fault}`);
};

const tooMuch = (bytes: number, entries: number): string | undefined => {
  const { unpackedBytes, unpackedEntries } = limits.proof;
  if (bytes > unpackedBytes) return `it unpacks to more than ${unpackedBytes} bytes`;
  return entries > unpackedEntries ? `it has more than ${unpackedEntries} files` : undefined;
};

const faultOf = ({ path, type }: ReadEntry): string | undefined => {
  if (path.startsWith('/') || /(^|[\\/])\.\.($|[\\/])/.test(path))
    return `${path} would be written outside of its folder`;
  return type === 'File' || type === 'OldFile' || type === 'ContiguousFile' || type === 'Directory'
    ? undefined
    : `${path} is neither a file nor a folder (${type})`;
};

/** What was packed as one folder is that folder. */
const innermost = (folder: string): string => {
  const [only, ...others] = readdirSync(folder, { withFileTypes: true });
  const isLog = ['data.mdb', 'checkpoint', 'tile', 'ledger'].some((name) => existsSync(join(folder, name)));
  return !isLog && only?.isDirectory() === true && others.length === 0 ? innermost(join(folder, only.name)) : folder;
};
