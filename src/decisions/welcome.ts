import { type Fact, type Need, subjectOf } from '../../events/index.js';
import type { PairedDevice } from '../../projections/index.js';
import { grant } from './approve.js';
import { type Ask, requested } from './ask.js';
import type { Connect, Credential } from './connect.js';
import type { Moment } from './decision.js';
import type { Device } from './device.js';
import { issue, retirePrevious } from './issue.js';
import { compare } from './platform.js';
import { coversAll } from './scopes.js';

/* The facts of a connect that is let in. */

/** The rule by which this host's own programs are paired without a person. */
const LOCAL_CLIENT = 'local-client';

/** It asked for more than it is given: what it asked, and the request under which the rest waits. */
interface Lesser {
  readonly asked: readonly string[];
  readonly upgrade?: string | undefined;
}

/**
 * A device that was granted this much. Its token is reused if it carries it, else replaced; the first use of a new token ends
 * the grace of the one before it.
 */
export const welcome = (
  paired: PairedDevice,
  command: Connect,
  credential: Credential,
  moment: Moment,
  lesser?: Lesser,
): readonly Fact[] => {
  const { role, scopes, shown, fresh } = command;
  const before = paired.tokens[role];
  const by = actorOf(command);
  const reused =
    before?.revokedAt === undefined &&
    (credential.carrier !== undefined || coversAll(role, before?.scopes ?? [], scopes));
  const token = reused ? before?.token : undefined;
  const renewal =
    token === undefined
      ? issue({ type: 'token.issued', device: paired.device, role, scopes, fresh, before, by }, moment)
      : [];
  return [
    ...metadataUpdate(paired, command),
    ...renewal,
    accepted(command, { ...credential, token: token ?? fresh.token, ...lesser }),
    ...(shown.method === 'device-token' && shown.token === token
      ? retirePrevious(paired.device, role, before, 'successor-used', by)
      : []),
  ];
};

/** A device that a rule lets in at once: asked, approved and connected in one breath, each on the record. */
export const approvedByRule = (
  device: Device,
  need: Need,
  command: Connect,
  credential: Credential,
  moment: Moment,
): readonly Fact[] => {
  const ask = askOf(need, command);
  const request = { ...ask, device: device.id, roles: [ask.role], seq: 'previous' as const };
  const by = { kind: 'gateway', rule: LOCAL_CLIENT } as const;
  return [
    requested(device, ask, { silent: true }),
    ...grant(request, command.origin, device.paired, { by, fresh: command.fresh }, moment),
    accepted(command, { ...credential, token: command.fresh.token, rule: LOCAL_CLIENT }),
  ];
};

/** What the device of this connect asks for; `session` if it goes on with less meanwhile. */
export const askOf = (need: Need, command: Connect, session?: string): Ask => ({
  requestId: command.requestId,
  publicKey: command.device?.publicKey ?? '',
  role: command.role,
  scopes: command.scopes,
  client: command.client,
  need,
  session,
  actor: actorOf(command),
  origin: command.origin,
});

interface Admission {
  readonly since?: number | undefined;
  /** Id of the device token that the answer tells. */
  readonly token?: string | undefined;
  readonly rule?: string | undefined;
  readonly asked?: readonly string[];
  readonly upgrade?: string | undefined;
}

export const accepted = (command: Connect, { since, token, rule, asked, upgrade }: Admission): Fact => {
  const { connection, boot, worker, role, scopes, client, protocol, local, device, shown, instanceId, caps, commands } =
    command;
  return {
    type: 'connection.accepted',
    subject: subjectOf.connection(connection),
    actor: actorOf(command),
    cause: since,
    data: {
      connection,
      boot,
      worker,
      role,
      asked: [...(asked ?? scopes)],
      scopes: [...scopes],
      method: shown.method,
      protocol,
      client,
      local,
      device: device?.id,
      credential: shown.credential,
      token,
      rule,
      instanceId,
      caps: caps && [...caps],
      commands: commands && [...commands],
      upgrade,
    },
    origin: command.origin,
  };
};

const actorOf = ({ connection, device, role, shown, scopes }: Connect) => ({
  kind: 'connection' as const,
  connection,
  method: shown.method,
  role,
  device: device?.id,
  credential: shown.credential,
  scopes: [...scopes],
});

/** The same platform in another version: no prompt, but on the record. */
const metadataUpdate = (paired: PairedDevice, command: Connect): readonly Fact[] =>
  compare(paired.client, command.client) !== 'updated'
    ? []
    : [
        {
          type: 'device.metadata-changed',
          subject: subjectOf.device(paired.device),
          actor: actorOf(command),
          cause: paired.seq,
          data: {
            device: paired.device,
            from: { platform: paired.client.platform },
            to: { platform: command.client.platform },
          },
        },
      ];
