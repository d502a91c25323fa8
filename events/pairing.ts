import * as t from 'io-ts';
import { fields, kind, Role, Texts } from './envelope.js';

/** What a device says it runs. The parts that rules pin are `platform` and `deviceFamily`. */
export const Client = fields(
  { id: t.string, mode: t.string, platform: t.string, version: t.string },
  { deviceFamily: t.string, modelIdentifier: t.string },
);
export type Client = t.TypeOf<typeof Client>;

/** Why a device that is allowed to talk is not yet allowed in. The words of the wire (protocol.md §6.1). */
export const Need = t.keyof({
  'not-paired': null,
  'metadata-upgrade': null,
  'role-upgrade': null,
  'scope-upgrade': null,
});
export type Need = t.TypeOf<typeof Need>;

const Pinned = t.exact(t.partial({ platform: t.string, deviceFamily: t.string }));

/**
 * What is asked, whole: an approver sees exactly this and approves exactly this. `silent`: it was approved by rule in the same
 * breath and never waited. `pinned` stands beside the claim when platform or family changed. `session`: the key of the open
 * session that goes on with what it has meanwhile.
 */
const Requested = fields(
  {
    requestId: t.string,
    device: t.string,
    publicKey: t.string,
    role: Role,
    roles: t.array(Role),
    scopes: Texts,
    client: Client,
    need: Need,
    silent: t.boolean,
    repair: t.boolean,
  },
  { supersedes: t.string, pinned: Pinned, session: t.string },
);

const Request = t.exact(t.type({ requestId: t.string, device: t.string }));
const Superseded = t.exact(t.type({ requestId: t.string, device: t.string, by: t.string }));

/** The grant. `roles` and `scopes` are what the device holds from now on, earlier grants included. */
const Approved = t.exact(
  t.type({
    requestId: t.string,
    device: t.string,
    publicKey: t.string,
    role: Role,
    roles: t.array(Role),
    scopes: Texts,
    client: Client,
    rule: t.string,
  }),
);

const Device = t.exact(t.type({ device: t.string }));

/** The device is out; the tokens named by fingerprint died with it. Its key may ask again. */
const Removed = t.exact(t.type({ device: t.string, credentials: Texts }));
const MetadataChanged = t.exact(t.type({ device: t.string, from: Pinned, to: Pinned }));

export const pairingEvents = {
  'pairing.requested': kind(Requested),
  'pairing.refreshed': kind(Request),
  'pairing.superseded': kind(Superseded),
  'pairing.approved': kind(Approved),
  'pairing.rejected': kind(Request),
  'pairing.expired': kind(Request),
  'device.removed': kind(Removed),
  /** The new label is personal: it is in `origin`. */
  'device.renamed': kind(Device),
  /** An update of the same platform: no prompt, but on the record. */
  'device.metadata-changed': kind(MetadataChanged),
};
