import { isIP } from 'node:net';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { EventOf } from '../../events/index.js';
import { canonical } from '../addresses.js';
import { type Refusal, refusal } from '../errors.js';
import { erasedBy } from './erasures.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { type Known, meant } from './near.js';
import { acceptanceOf } from './people.js';
import { clientCloses, type Reason, reasons } from './reasons.js';

interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A connection that was turned away. */
export interface Refused extends Place, Reason {
  readonly is: 'refused';
  readonly connection: string;
  readonly reason: string;
  readonly address?: string | undefined;
  /** The event that erased it. */
  readonly erased?: number | undefined;
  readonly device?: string | undefined;
  /** What the gateway closed with, and the client if it was first. */
  readonly close: Close;
  readonly clientClose?: (Close & { readonly means?: string | undefined }) | undefined;
  /** What has become of the request it was told to wait for. */
  readonly request?:
    | {
        readonly id: string;
        readonly state: 'waits' | 'approved' | 'rejected' | 'expired' | 'superseded';
        readonly seq?: number | undefined;
      }
    | undefined;
}

/** A connection that was let in, and perhaps ended. */
export interface LetIn extends Place {
  readonly is: 'let in';
  readonly connection: string;
  readonly device?: string | undefined;
  readonly method: string;
  readonly rule?: string | undefined;
  /** The scopes it did not get of those it asked for, and the request under which they wait. */
  readonly missing: readonly string[];
  readonly upgrade?: string | undefined;
  readonly closed?: (Place & Close & { readonly by: string; readonly cause?: number | undefined }) | undefined;
}

export interface WhyAddress {
  readonly is: 'address';
  readonly address: string;
  readonly accepted: number;
  readonly refused: readonly (Reason & {
    readonly reason: string;
    readonly count: number;
    readonly first: Place;
    readonly last: Place;
  })[];
  readonly latest?: Refused | undefined;
  readonly lockedUntil?: number | undefined;
  /** Refusals of this source that were only counted. */
  readonly summarised: readonly number[];
}

/** Why a connection, or what comes from an address, was refused, and the one thing to change. */
export const why = (said: string, evidence: Evidence): Either<Refusal, Refused | LetIn | WhyAddress> => {
  if (isIP(said) !== 0) return E.right(ofAddress(canonical(said), evidence));
  const direct = ofConnection(said, evidence);
  if (direct !== undefined) return E.right(direct);
  return E.flatMap(({ id }: Known) => E.fromNullable(unreadable(id))(ofConnection(id, evidence)))(
    meant(said, ['connection'], evidence),
  );
};

/** The views know a session that is open, but the event of its coming is damaged. */
const unreadable = (connection: string): Refusal =>
  refusal('evidence-unreadable', `the log cannot be read where it says how connection ${connection} came`);

const UNKNOWN: Reason = { rule: 'a rule that this version does not know', change: 'ask a newer version' };

const ofConnection = (connection: string, evidence: Evidence): Refused | LetIn | undefined => {
  for (const event of evidence.log.query({ terms: [`connection:${connection}`, 'type:connection.refused'] }))
    if (event.type === 'connection.refused') return refusedIn(event, evidence);
  const accepted = acceptanceOf(connection, evidence.log);
  return accepted && letIn(accepted, evidence);
};

const refusedIn = (event: EventOf<'connection.refused'>, evidence: Evidence): Refused => {
  const { connection, reason, close, clientClose, device, requestId } = event.data;
  return {
    is: 'refused',
    ...placeOf(event),
    connection,
    reason,
    ...(reasons[reason] ?? UNKNOWN),
    address: event.origin?.address,
    erased: erasedBy(event, evidence),
    device,
    close,
    clientClose: clientClose && { ...clientClose, means: clientCloses[clientClose.code] },
    request: requestId === undefined ? undefined : { id: requestId, ...stateOf(requestId, evidence) },
  };
};

const stateOf = (
  requestId: string,
  { log }: Evidence,
): { readonly state: NonNullable<Refused['request']>['state']; readonly seq?: number } => {
  for (const { type, seq, data } of log.backwards({ terms: [`request:${requestId}`] })) {
    if (!('requestId' in data) || data.requestId !== requestId) continue;
    if (type === 'pairing.approved') return { state: 'approved', seq };
    if (type === 'pairing.rejected') return { state: 'rejected', seq };
    if (type === 'pairing.expired') return { state: 'expired', seq };
    if (type === 'pairing.superseded') return { state: 'superseded', seq };
  }
  return { state: 'waits' };
};

const letIn = (event: EventOf<'connection.accepted'>, { log }: Evidence): LetIn => {
  const { connection, device, method, rule, asked, scopes, upgrade } = event.data;
  const [closed] = log.query({ terms: [`connection:${connection}`, 'type:connection.closed'] });
  return {
    is: 'let in',
    ...placeOf(event),
    connection,
    device,
    method,
    rule,
    missing: asked.filter((scope) => !scopes.includes(scope)),
    upgrade,
    closed:
      closed?.type === 'connection.closed'
        ? {
            ...placeOf(closed),
            code: closed.data.code,
            reason: closed.data.reason,
            by: closed.actor.kind === 'gateway' ? `the gateway: ${closed.actor.rule}` : 'the client',
            cause: closed.actor.kind === 'gateway' ? closed.cause : undefined,
          }
        : undefined,
  };
};

const ofAddress = (address: string, evidence: Evidence): WhyAddress => {
  const { log, upTo, now } = evidence;
  const groups = new Map<string, { count: number; first: Place; last: Place }>();
  const sources = new Set<string>();
  let accepted = 0;
  let latest: EventOf<'connection.refused'> | undefined;
  let lockedUntil: number | undefined;
  for (const event of log.query({ terms: [`address:${address}`], upTo })) {
    if (event.type === 'connection.accepted') accepted++;
    if (event.type === 'source.locked' && event.data.until > now) lockedUntil = event.data.until;
    if (event.type !== 'connection.refused') continue;
    latest = event;
    if (event.data.source !== undefined) sources.add(event.data.source);
    const group = groups.get(event.data.reason);
    if (group === undefined) groups.set(event.data.reason, { count: 1, first: placeOf(event), last: placeOf(event) });
    else Object.assign(group, { count: group.count + 1, last: placeOf(event) });
  }
  const summarised = [...sources].flatMap((source) =>
    [...log.query({ terms: [`source:${source}`, 'type:connection.refusals-summarised'], upTo })].map(({ seq }) => seq),
  );
  return {
    is: 'address',
    address,
    accepted,
    refused: [...groups].map(([reason, group]) => ({ reason, ...(reasons[reason] ?? UNKNOWN), ...group })),
    latest: latest && refusedIn(latest, evidence),
    lockedUntil,
    summarised,
  };
};
