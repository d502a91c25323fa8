import { type Database, open, type RootDatabase } from 'lmdb';

/** A database of a ledger by its name. */
export type Databases = (name: string, encoding: 'binary' | 'string') => Database;

/** Gets at the databases of a ledger that is closed, behind its back. */
export const tamper = async (path: string, how: (db: Databases, root: RootDatabase) => unknown): Promise<void> => {
  const env = open({ path, noSubdir: false, maxDbs: 64, overlappingSync: false, encoding: 'binary' });
  await how((name, encoding) => env.openDB(name, { encoding }), env);
  await env.close();
};
