import * as t from 'io-ts';
import { fields, Int, kind, Role, Texts } from './envelope.js';

/**
 * A device token is derived from (key, device, role, token id), so its value is nowhere. `credential` is its fingerprint.
 * A token that replaces another leaves it alive until its own first use or `graceUntil` (ms), whichever comes first.
 */
const Issued = fields(
  { device: t.string, role: Role, token: t.string, key: t.string, credential: t.string, scopes: Texts },
  { replaces: t.string, graceUntil: Int },
);

/** Why a replaced token stopped working. */
const Ending = t.keyof({ 'successor-used': null, 'grace-ended': null, 'replaced-again': null, revoked: null });

const Retired = t.exact(
  t.type({ device: t.string, role: Role, token: t.string, credential: t.string, reason: Ending }),
);
const Revoked = t.exact(t.type({ device: t.string, role: Role, token: t.string, credential: t.string }));

export const tokenEvents = {
  'token.issued': kind(Issued),
  /** The same as issued, but on demand: it also closes the sessions of that device and role. */
  'token.rotated': kind(Issued),
  'token.retired': kind(Retired),
  'token.revoked': kind(Revoked),
};
