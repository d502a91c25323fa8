import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Store } from '../ledger/store.js';
import { limits } from '../limits.js';
import { type FileReader, filesSource } from './files-source.js';
import { ledgerSource } from './ledger-source.js';
import type { Source } from './source.js';
import { unpacked } from './unpack.js';

/** There is no log in the place that was named, or none that could be opened. */
export class NoLog extends Error {
  override readonly name = 'NoLog';
}

/** Opens the log in a place: the folder of a ledger or of a gateway, an export, either of them in a tar file, or the URL of a log. */
export const openLog = async (place: string): Promise<Source> => {
  if (/^https?:\/\//.test(place)) return filesSource(place, overHttp(place.replace(/\/+$/, '')));
  if (!existsSync(place)) throw new NoLog(`there is nothing at ${place}`);
  if (statSync(place).isDirectory()) return openFolder(place);
  const { folder, remove } = await unpacked(place);
  try {
    const source = await openFolder(folder, place);
    return { ...source, close: () => source.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
};

const openFolder = async (folder: string, name: string = folder): Promise<Source> => {
  for (const path of [folder, join(folder, 'ledger')])
    if (Store.exists(path)) return { ...ledgerSource(path), name: `ledger ${name === folder ? path : name}` };
  if (!existsSync(join(folder, 'checkpoint')) && !existsSync(join(folder, 'tile')))
    throw new NoLog(`there is no log in ${name}: neither a ledger (data.mdb) nor an export (checkpoint, tile)`);
  return filesSource(`export ${name}`, inFolder(folder));
};

const inFolder =
  (folder: string): FileReader =>
  async (path) => {
    try {
      return await readFile(join(folder, path));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw new NoLog(message);
    }
  };

/** What is at the other end of a URL may be anything: it is given so much time, and so many bytes. */
const overHttp =
  (url: string): FileReader =>
  async (path) => {
    const signal = AbortSignal.timeout(limits.proof.fetchMs);
    try {
      const response = await fetch(`${url}/${path}`, { signal, redirect: 'error' });
      if (response.status === 404) return undefined;
      if (!response.ok) throw new NoLog(`${url}/${path} was answered with the status ${response.status}`);
      return await bounded(response, `${url}/${path}`);
    } catch (error) {
      if (error instanceof NoLog) throw error;
      const { message, cause } = error as Error;
      throw new NoLog(`${url}/${path} cannot be read: ${(cause as Error | undefined)?.message ?? message}`);
    }
  };

const bounded = async (response: Response, url: string): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > limits.proof.fileBytes) throw new NoLog(`${url} has more than ${limits.proof.fileBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
