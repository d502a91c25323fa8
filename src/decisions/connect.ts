import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { Client, Method, Need, Origin, Role } from '../../events/index.js';
import type { DeviceToken, PairedDevice } from '../../projections/index.js';
import { file, type Waiting } from './ask.js';
import { mintForNode } from './canvas.js';
import type { Decided, Moment } from './decision.js';
import type { Device } from './device.js';
import type { FreshToken } from './issue.js';
import { compare } from './platform.js';
import { coversAll, inCommon } from './scopes.js';
import { accepted, approvedByRule, askOf, welcome } from './welcome.js';

/** Why a credential was not accepted (protocol.md §5.3). */
export type AuthReason =
  | 'token_missing'
  | 'token_mismatch'
  | 'token_missing_config'
  | 'password_missing'
  | 'password_mismatch'
  | 'password_missing_config'
  | 'device_token_mismatch'
  | 'rate_limited';

/** What was shown and verified. `since`: the event that made it valid. A device token is named by its id; whether it is alive is for the log to say. */
export type Shown =
  | {
      readonly method: Exclude<Method, 'device-token'>;
      readonly credential?: string | undefined;
      readonly since?: number | undefined;
    }
  | {
      readonly method: 'device-token';
      readonly credential: string;
      readonly token: string;
      readonly otherwise: AuthReason;
    };

/** Rules that the configuration can switch off. */
export interface Rules {
  /** A program on this host that holds the gateway secret, and is no browser, is paired without asking. */
  readonly localClient: boolean;
  /** The same program, when it calls itself a backend, needs no pairing at all (the CLI's one-shot commands). */
  readonly localBackend: boolean;
  /** A client without a device keeps the scopes it asked for. */
  readonly scopesWithoutDevice: boolean;
}

/** A handshake whose every claim has been checked, on its way to the log. */
export interface Connect {
  readonly connection: string;
  readonly boot: string;
  readonly worker: number;
  /** Key of this session in the connected view. */
  readonly session: string;
  readonly protocol: number;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly client: Client;
  readonly instanceId?: string | undefined;
  readonly caps?: readonly string[] | undefined;
  readonly commands?: readonly string[] | undefined;
  /** A node's capability to look at the canvas; the log has its digest. */
  readonly canvas?: { readonly capability: string; readonly digest: string } | undefined;
  /** Present only if its key signed our challenge. */
  readonly device?: { readonly id: string; readonly publicKey: string } | undefined;
  readonly shown: Shown;
  readonly local: boolean;
  readonly browser: boolean;
  readonly origin: Origin;
  readonly requestId: string;
  readonly fresh: FreshToken;
  readonly rules: Rules;
}

/** A connect that is refused by what is, or is not, in the log. */
export type ConnectDenied =
  | { readonly code: 'unauthorized'; readonly reason: AuthReason }
  | {
      readonly code: 'pairing-required';
      readonly need: Need;
      /** Absent when the list of requests is full: then there is nothing to approve. */
      readonly requestId?: string | undefined;
      readonly approved?: { readonly roles: readonly string[]; readonly scopes: readonly string[] } | undefined;
    };

/** What a verified credential stands for. */
export interface Credential {
  /** The event that made it valid: what this connection can be traced back to. */
  readonly since?: number | undefined;
  /** The token that carries the rights, if it came by a device token. */
  readonly carrier?: DeviceToken | undefined;
}

export interface Door extends Waiting {
  readonly device?: Device | undefined;
  /** The shared secret in force, by fingerprint: it may have been replaced since it was compared with what was shown. */
  readonly secret?: string | undefined;
}

/** May it come in, as what, and what does that change? (protocol.md §3.5 steps 8 to 10, and §6) */
export const connect = (door: Door, command: Connect, moment: Moment): Decided<ConnectDenied> => {
  const { canvas, connection, worker, device, shown } = command;
  const facts = letIn(door, command, moment);
  if (canvas === undefined) return facts;
  const actor = { kind: 'connection', connection, device: device?.id, credential: shown.credential } as const;
  const minted = mintForNode(canvas.digest, { connection, worker, device: device?.id }, actor, moment);
  return pipe(
    facts,
    E.map((all) => [...all, minted]),
  );
};

const letIn = ({ device, secret, ...others }: Door, command: Connect, moment: Moment): Decided<ConnectDenied> => {
  const replaced = replacedSecret(command.shown, secret);
  if (replaced !== undefined) return E.left({ code: 'unauthorized', reason: replaced });
  const rule = exemption(command);
  if (device === undefined) {
    return E.right([
      accepted({ ...command, scopes: withoutDevice(command, rule) }, { asked: command.scopes, rule, ...command.shown }),
    ]);
  }
  return pipe(
    alive(device, command, moment),
    E.flatMap((credential) => {
      if (rule !== undefined)
        return E.right([accepted(command, { rule, ...credential, token: liveToken(device, command) })]);
      const need = needOf(device.paired, command, credential);
      return need === undefined && device.paired !== undefined
        ? E.right(welcome(device.paired, command, credential, moment))
        : ungranted(device, need ?? 'not-paired', command, credential, others, moment);
    }),
  );
};

/** A secret that was right when it was shown, and is another one by now. */
const replacedSecret = ({ method, credential }: Shown, inForce: string | undefined): AuthReason | undefined =>
  (method === 'token' || method === 'password') && inForce !== undefined && credential !== inForce
    ? `${method}_mismatch`
    : undefined;

/** A device token must be the current one, or the one before it within its grace. Anything else was alive when it was shown. */
const alive = ({ paired }: Device, { shown, role }: Connect, { now }: Moment): Either<ConnectDenied, Credential> => {
  if (shown.method !== 'device-token') return E.right({ since: shown.since });
  const dead = E.left<ConnectDenied>({ code: 'unauthorized', reason: shown.otherwise });
  const token = paired?.tokens[role];
  if (token === undefined || token.revokedAt !== undefined) return dead;
  if (token.token === shown.token) return E.right({ since: token.seq, carrier: token });
  const { previous } = token;
  return previous?.token === shown.token && now < previous.graceUntil
    ? E.right({ since: previous.seq, carrier: token })
    : dead;
};

/** Who needs no pairing, by which rule. */
const exemption = ({ shown, local, browser, client, rules }: Connect): string | undefined => {
  if (shown.method === 'host-proof') return 'host-proof';
  const backend = client.id === 'gateway-client' && client.mode === 'backend';
  return rules.localBackend && backend && local && !browser && shown.method !== 'device-token'
    ? 'local-backend'
    : undefined;
};

/** Scopes of a client that has no key: what it declares is not what it is granted (CVE-2026-22172). */
const withoutDevice = (
  { scopes, local, browser, client, rules }: Connect,
  rule: string | undefined,
): readonly string[] =>
  rule !== undefined || rules.scopesWithoutDevice || (rules.localClient && local && !browser && client.mode === 'cli')
    ? scopes
    : [];

/** What the device lacks, the first that applies (protocol.md §6.1). */
const needOf = (
  paired: PairedDevice | undefined,
  { device, client, role, scopes }: Connect,
  credential: Credential,
): Need | undefined => {
  if (paired === undefined || paired.publicKey !== device?.publicKey) return 'not-paired';
  if (compare(paired.client, client) === 'changed') return 'metadata-upgrade';
  if (!paired.roles.includes(role)) return 'role-upgrade';
  return coversAll(role, heldBy(paired, credential), scopes) ? undefined : 'scope-upgrade';
};

/** A session never has more than its credential carries. */
const heldBy = (paired: PairedDevice, { carrier }: Credential): readonly string[] => carrier?.scopes ?? paired.scopes;

/** It asks for what it was not granted: approved by rule, let in with what it has of it, or told to wait. */
const ungranted = (
  device: Device,
  need: Need,
  command: Connect,
  credential: Credential,
  others: Waiting,
  moment: Moment,
): Decided<ConnectDenied> => {
  if (approvableByRule(need, { ...command, method: command.shown.method }))
    return E.right(approvedByRule(device, need, command, credential, moment));
  const { paired } = device;
  const scopes =
    paired !== undefined && need === 'scope-upgrade'
      ? inCommon(command.role, command.scopes, heldBy(paired, credential))
      : [];
  const staysIn = paired !== undefined && scopes.length > 0;
  const filed = file(device, askOf(need, command, staysIn ? command.session : undefined), others, moment);
  const { requestId, facts } = E.isRight(filed) ? filed.right : { requestId: undefined, facts: [] };
  if (!staysIn) {
    return E.left({
      code: 'pairing-required',
      need,
      requestId,
      approved: paired && { roles: paired.roles, scopes: paired.scopes },
      facts,
    });
  }
  const lesser = { asked: command.scopes, upgrade: requestId };
  return E.right([...facts, ...welcome(paired, { ...command, scopes }, credential, moment, lesser)]);
};

/** This host's own programs, for a first pairing or more scopes; never a browser, a new role or a new platform (protocol.md §6.2). */
export const approvableByRule = (need: Need, { rules, local, browser, method }: Asker): boolean =>
  rules.localClient &&
  local &&
  !browser &&
  method !== 'device-token' &&
  (need === 'not-paired' || need === 'scope-upgrade');

interface Asker {
  readonly rules: Pick<Rules, 'localClient'>;
  readonly local: boolean;
  readonly browser: boolean;
  readonly method: Method;
}

/** The token that a paired device gets told even where it needed no pairing. */
const liveToken = ({ paired }: Device, { role }: Connect): string | undefined => {
  const token = paired?.tokens[role];
  return token?.revokedAt === undefined ? token?.token : undefined;
};
