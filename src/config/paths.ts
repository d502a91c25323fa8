import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** Where things live. */
export interface Paths {
  readonly state: string;
  readonly config: string;
  readonly ledger: string;
  readonly keys: string;
  /** The socket through which whoever can enter the state folder is believed. */
  readonly socket: string;
  /** A gateway secret that we made. */
  readonly secret: string;
  readonly identity: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The state folder and what is below it; `OPENCLAW_STATE_DIR` and `OPENCLAW_CONFIG_PATH` move it, as in the original. */
export const pathsFrom = (env: Environment): Paths => {
  const home = env['OPENCLAW_HOME'] || env['HOME'] || homedir();
  /* No shell has expanded what an environment file says. */
  const path = (said: string): string => resolve(said.replace(/^~(?=$|\/)/, home));
  const state = path(env['OPENCLAW_STATE_DIR'] || '~/.openclaw');
  const ledger = join(state, 'ledger');
  return {
    state,
    config: path(env['OPENCLAW_CONFIG_PATH'] || join(state, 'openclaw.json')),
    ledger,
    keys: join(ledger, 'keys.json'),
    socket: join(state, 'gateway.sock'),
    secret: join(state, 'gateway.env'),
    identity: join(state, 'identity'),
  };
};
