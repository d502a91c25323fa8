import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/*
 * Every credential that goes through a test: what is shown at a connect, right or wrong, and what is told at a hello or by a rotation. None
 * of them may be found in what a gateway leaves behind.
 */

export const TOKEN = 'demo-gateway-token-7c1e';

const seen = new Set<string>([TOKEN]);

/** Shorter ones are words that are found anywhere. */
const LEAST_CHARS = 16;

const add = (credential: unknown): void => {
  if (typeof credential === 'string' && credential.length >= LEAST_CHARS) seen.add(credential);
};

export const credentialsShown = ({ token, deviceToken, password }: Readonly<Record<string, unknown>>): void => {
  for (const credential of [token, deviceToken, password]) add(credential);
};

/** What a frame from the gateway tells. */
export const credentialsIn = (frame: {
  readonly payload?: { readonly token?: unknown; readonly auth?: { readonly deviceToken?: unknown } } | null;
}): void => {
  add(frame.payload?.token);
  add(frame.payload?.auth?.deviceToken);
};

/** Where a credential is kept on purpose: the configuration, the secret that the gateway made, what the command line of this host was told. */
const isKeptOnPurpose = (path: string): boolean =>
  path === 'openclaw.json' || path === 'gateway.env' || path.split(sep)[0] === 'identity';

/** Where a credential was found; what it is is not said. */
export const credentialsLeft = (state: string, lines: readonly string[]): readonly string[] => {
  const places: (readonly [where: string, content: Buffer])[] = [['the terminal', Buffer.from(lines.join('\n'))]];
  const entries = existsSync(state) ? readdirSync(state, { recursive: true, withFileTypes: true }) : [];
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(state, join(parentPath, name)));
  for (const path of files) if (!isKeptOnPurpose(path)) places.push([path, readFileSync(join(state, path))]);
  return places.flatMap(([where, content]) =>
    [...seen].some((credential) => content.includes(credential)) ? [where] : [],
  );
};
