import { createHash } from 'node:crypto';
import type { Settings } from './settings.js';

const REDACTED = '__OPENCLAW_REDACTED__';

/**
 * The configuration as clients may see it: the file's own gateway section without its secrets, and to others than admins not even
 * where it is. The hash is of what is shown: one of the file would let a reader try passwords against it.
 */
export const configForClients = ({ file }: Settings, admin: boolean) => {
  const { auth, remote, ...gateway } = file.gateway;
  const config = {
    gateway: {
      ...gateway,
      ...(auth === undefined ? {} : { auth: withoutSecrets(auth) }),
      ...(remote === undefined ? {} : { remote: withoutSecrets(remote) }),
    },
  };
  return {
    path: admin ? file.path : '[redacted]',
    exists: file.exists,
    raw: null,
    parsed: config,
    resolved: config,
    valid: true,
    config,
    hash: file.exists ? createHash('sha256').update(JSON.stringify(config)).digest('hex') : undefined,
    issues: [],
    warnings: [],
    legacyIssues: [],
  };
};

const withoutSecrets = <S extends { readonly token?: unknown; readonly password?: unknown }>(section: S) => ({
  ...section,
  ...(section.token === undefined ? {} : { token: REDACTED }),
  ...(section.password === undefined ? {} : { password: REDACTED }),
});
