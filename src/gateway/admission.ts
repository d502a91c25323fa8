import type { Client, EventOf, Origin } from '../../events/index.js';
import { connectedKey, GATEWAY, type Views } from '../../projections/index.js';
import type { Keys } from '../credentials/keys.js';
import { type Connect, type ConnectDenied, connect, type Rules } from '../decisions/connect.js';
import type { Command } from '../decisions/decision.js';
import { deviceIn } from '../decisions/device.js';
import type { FreshToken } from '../decisions/issue.js';
import { normalised } from '../decisions/scopes.js';
import { limits } from '../limits.js';
import type { Entropy } from '../ports.js';
import type { ConnectParams } from '../protocol/connect-params.js';
import { canonicalKey } from '../protocol/device-proof.js';
import { plain } from '../text.js';
import { freshCapability } from './canvas-capability.js';
import type { Verified } from './handshake.js';

/* From a handshake that passed the door to the command that the log decides. */

export interface AdmissionContext {
  readonly boot: string;
  readonly worker: number;
  readonly keys: Keys;
  readonly entropy: Entropy;
  readonly rules: Rules;
  /** There is a canvas, and nodes may look at it. */
  readonly canvas: boolean;
  /** Owner of the socket file: whoever comes through it. */
  readonly osUser: string;
}

/** What the transport knows beside the claims. */
export interface Surroundings {
  readonly connection: string;
  readonly userAgent: string;
  readonly forwardedFor: string;
}

const { claims } = limits;
const TOKEN_ID_BYTES = 16;

/** A token id that nobody had before; the fingerprint of its value is only worked out if the token is issued. */
export const freshToken = (keys: Keys, entropy: Entropy, device: string, role: string): FreshToken => {
  const token = entropy.bytes(TOKEN_ID_BYTES).toString('hex');
  return {
    token,
    key: keys.tokenKey,
    get credential() {
      return keys.fingerprint(keys.deviceToken(device, role, token));
    },
  };
};

export const connectCommand = (verified: Verified, around: Surroundings, context: AdmissionContext): Connect => {
  const { knock, dialect, role, browser, evaluated, proven } = verified;
  const { params, place } = knock;
  const { connection } = around;
  const { boot, worker, keys, entropy } = context;
  const isNode = role === 'node';
  return {
    connection,
    boot,
    worker,
    session: connectedKey({ boot, worker, connection }),
    protocol: dialect,
    role,
    scopes: normalised(params.scopes ?? []),
    client: clientOf(params),
    instanceId: plain(params.client.instanceId, claims.displayNameChars),
    caps: isNode ? texts(params.caps) : undefined,
    commands: isNode ? texts(params.commands) : undefined,
    canvas: isNode && context.canvas ? freshCapability(keys, entropy) : undefined,
    device:
      proven === undefined || params.device === undefined
        ? undefined
        : { id: proven, publicKey: canonicalKey(params.device.publicKey) },
    shown: evaluated,
    local: place.local,
    browser,
    origin: originOf(verified, around, context),
    requestId: entropy.uuid(),
    fresh: freshToken(keys, entropy, proven ?? '', role),
    rules: context.rules,
  };
};

/** What a client says it is, capped and stripped. */
export const clientOf = ({ client }: ConnectParams): Client => ({
  id: client.id,
  mode: client.mode,
  platform: plain(client.platform, claims.displayNameChars) ?? 'unknown',
  version: plain(client.version, claims.displayNameChars) ?? 'unknown',
  deviceFamily: plain(client.deviceFamily, claims.displayNameChars),
  modelIdentifier: plain(client.modelIdentifier, claims.displayNameChars),
});

const texts = (list: readonly string[] = []): readonly string[] =>
  list.flatMap((text) => plain(text, claims.displayNameChars) ?? []);

/** What of a connection is personal. */
export const originOf = (
  { knock, browser }: Pick<Verified, 'knock' | 'browser'>,
  around: Surroundings,
  { osUser }: Pick<AdmissionContext, 'osUser'>,
): Origin => ({
  address: knock.place.address || undefined,
  displayName: plain(knock.params.client.displayName, claims.displayNameChars),
  userAgent: plain(around.userAgent || knock.params.userAgent, limits.log.untrustedChars),
  host: plain(knock.host, limits.log.untrustedChars),
  browserOrigin: browser ? plain(knock.origin, limits.log.untrustedChars) : undefined,
  forwardedFor: plain(around.forwardedFor, limits.log.untrustedChars),
  osUser: knock.place.hostSocket ? osUser : undefined,
});

/** The command that lets it in or turns it away; `answer` is made of the event that let it in, and the views as it left them. */
export const admission = <A>(
  command: Connect,
  answer: (accepted: EventOf<'connection.accepted'>, views: Views) => A,
): Command<A, ConnectDenied> => ({
  decide: (views, moment, originOf) =>
    connect(
      {
        device: command.device && deviceIn(views, command.device.id, moment),
        secret: views.gateway.get(GATEWAY)?.secret?.credential,
        waiting: () => views.pending.size(),
        originOf,
      },
      command,
      moment,
    ),
  answer: (events, views) => {
    for (const event of events) if (event.type === 'connection.accepted') return answer(event, views);
    throw new Error('a connect was granted without a connection.accepted');
  },
});
