import { existsSync, readFileSync } from 'node:fs';
import { mustBePrivate, replaceFile } from '../files.js';
import type { Entropy } from '../ports.js';

/** The shared secret of the gateway, and the place where it can be changed. */
export interface GatewaySecret {
  readonly value: string;
  readonly from: string;
  /** It did not exist before: we made it. */
  readonly made?: true;
}

const SECRET_BYTES = 24;
const VARIABLE = 'OPENCLAW_GATEWAY_TOKEN';

/** The secret that we made on an earlier start, if we did. */
export const keptSecret = (file: string): GatewaySecret | undefined => {
  if (!existsSync(file)) return undefined;
  mustBePrivate(file);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${VARIABLE}=`));
  const value = line?.slice(VARIABLE.length + 1).trim();
  return value === undefined || value === '' ? undefined : { value, from: file };
};

/** Makes a secret and keeps it, in a form a shell can source: the first start of a gateway that was given none. */
export const makeSecret = (file: string, entropy: Entropy): GatewaySecret => {
  const value = Buffer.from(entropy.bytes(SECRET_BYTES)).toString('hex');
  replaceFile(file, `${VARIABLE}=${value}\n`, 0o600);
  return { value, from: file, made: true };
};
