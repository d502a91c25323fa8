import type { Role } from '../events/index.js';
import { type Change, type Projection, put, type Rows, unchanged } from './projection.js';

/** What a credential is, or was. None is ever forgotten: a leaked one may turn up years after it died. */
export type Credential =
  | {
      readonly kind: 'device-token';
      readonly device: string;
      readonly role: Role;
      readonly token: string;
      readonly key: string;
      readonly seq: number;
      /** The event that ended it. */
      readonly endedBy?: number | undefined;
    }
  | {
      readonly kind: 'secret';
      readonly seq: number;
      readonly endedBy?: number | undefined;
      /** The event that bars it, because others had it: it is never accepted again. */
      readonly leaked?: number | undefined;
    };

/** Every credential this gateway ever accepted, by fingerprint. */
export const credentials: Projection<Credential> = {
  name: 'credentials',
  version: 2,
  apply: (event, rows) => {
    switch (event.type) {
      case 'token.issued':
      case 'token.rotated': {
        const { device, role, token, key, credential } = event.data;
        return [put(credential, { kind: 'device-token', device, role, token, key, seq: event.seq })];
      }
      case 'token.retired':
      case 'token.revoked':
        return ended(rows, [event.data.credential], event.seq);
      case 'device.removed':
        return ended(rows, event.data.credentials, event.seq);
      case 'gateway.secret-rotated': {
        const { from, to } = event.data;
        return [
          ...ended(rows, from === undefined ? [] : [from], event.seq),
          put(to, { kind: 'secret', seq: event.seq }),
        ];
      }
      case 'gateway.secret-barred': {
        const { credential } = event.data;
        const row = rows.get(credential);
        return row?.kind === 'secret' ? [put(credential, { ...row, leaked: event.seq })] : unchanged;
      }
      default:
        return unchanged;
    }
  },
};

const ended = (
  rows: Rows<Credential>,
  fingerprints: readonly string[],
  endedBy: number,
): readonly Change<Credential>[] =>
  fingerprints.flatMap((fingerprint) => {
    const row = rows.get(fingerprint);
    return row === undefined ? [] : [put(fingerprint, { ...row, endedBy })];
  });
