import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Client, Event, EventOf } from '../../events/index.js';
import type { Refusal } from '../errors.js';
import { limits } from '../limits.js';
import { erasedBy } from './erasures.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { type Known, meant } from './near.js';
import { nameOf, type Person, personOf } from './people.js';
import { type Judgement, judge } from './rejudge.js';

/** What somebody asked for, and what became of it. */
export interface RequestStory extends Place {
  readonly requestId: string;
  readonly from: {
    readonly address?: string | undefined;
    readonly displayName?: string | undefined;
    readonly userAgent?: string | undefined;
    readonly browserOrigin?: string | undefined;
    /** The event that erased these. */
    readonly erased?: number | undefined;
    readonly connection?: string | undefined;
    readonly method?: string | undefined;
    readonly credential?: string | undefined;
  };
  readonly ask: {
    readonly role: string;
    readonly scopes: readonly string[];
    readonly need: string;
    readonly repair: boolean;
    readonly client: Client;
  };
  readonly refreshed: number;
  readonly outcome?: Outcome | undefined;
}

export interface Outcome extends Place {
  readonly what: 'approved' | 'rejected' | 'expired' | 'superseded';
  /** Ms after the request. */
  readonly afterMs: number;
  readonly by: Person;
  readonly rule?: string | undefined;
  readonly supersededBy?: string | undefined;
  readonly granted?: { readonly roles: readonly string[]; readonly scopes: readonly string[] } | undefined;
  /** Why today's rules would refuse this approval; null if they would not. */
  readonly today?: Judgement | null | undefined;
  readonly token?:
    | (Place & { readonly credential: string; readonly role: string; readonly scopes: readonly string[] })
    | undefined;
}

/** A line of the life of a device. */
export interface Line extends Place {
  readonly type: string;
  readonly event: Event;
}

export interface Who {
  readonly device: {
    readonly id: string;
    readonly name?: string | undefined;
    readonly state: 'paired' | 'pending' | 'not paired';
    readonly roles: readonly string[];
    readonly scopes: readonly string[];
  };
  /** The request that was asked about, if one was. */
  readonly requestId?: string | undefined;
  readonly requests: readonly RequestStory[];
  /** Its tokens, names and removals: everything else that was decided about it. */
  readonly decisions: readonly Line[];
  readonly since: {
    readonly connections: number;
    readonly refused: number;
    readonly first?: Place | undefined;
    readonly last?: Place | undefined;
    readonly addresses: readonly string[];
    readonly credentials: readonly string[];
    /** What it did to others. */
    readonly acts: readonly Line[];
    /** Only its latest events were looked at. */
    readonly truncated: boolean;
  };
}

/** Who let this device in, or decided this request: asked when, from where and for what; decided by whom and how; and everything since. */
export const who = (id: string, evidence: Evidence): Either<Refusal, Who> => {
  const found = requestNamed(id, evidence);
  if (found !== undefined) return E.right(storyOf(found.data.device, evidence, found.data.requestId));
  if (isSubject(id, evidence)) return E.right(storyOf(id, evidence));
  return E.map(({ kind, id: known }: Known) => {
    const request = kind === 'request' ? requestNamed(known, evidence) : undefined;
    return storyOf(request?.data.device ?? known, evidence, request?.data.requestId);
  })(meant(id, ['device', 'request'], evidence));
};

const isSubject = (device: string, { log }: Evidence): boolean => {
  for (const _ of log.query({ terms: [`subject:device:${device}`] })) return true;
  return false;
};

const requestNamed = (id: string, { log }: Evidence): EventOf<'pairing.requested'> | undefined => {
  for (const event of log.query({ terms: [`request:${id}`, 'type:pairing.requested'] }))
    if (event.type === 'pairing.requested' && event.data.requestId === id) return event;
  return undefined;
};

const storyOf = (device: string, evidence: Evidence, requestId?: string): Who => {
  const about = [...evidence.log.query({ terms: [`subject:device:${device}`], upTo: evidence.upTo })];
  const paired = evidence.views.paired.get(device);
  const pending = evidence.views.pending.get(device);
  return {
    device: {
      id: device,
      name:
        nameOf(device, evidence) ??
        about.findLast(({ origin }) => origin?.displayName !== undefined)?.origin?.displayName,
      state: paired !== undefined ? 'paired' : pending !== undefined ? 'pending' : 'not paired',
      roles: paired?.roles ?? [],
      scopes: paired?.scopes ?? [],
    },
    requestId,
    requests: requestsIn(about, evidence),
    decisions: about.filter(({ type }) => !type.startsWith('pairing.')).map(lineOf),
    since: sinceThen(device, evidence),
  };
};

const lineOf = (event: Event): Line => ({ ...placeOf(event), type: event.type, event });

/** Every request in these events, with how it ended. */
export const requestsIn = (about: readonly Event[], evidence: Evidence): readonly RequestStory[] =>
  about.flatMap((event) => (event.type === 'pairing.requested' ? [requestStory(event, about, evidence)] : []));

const requestStory = (
  asked: EventOf<'pairing.requested'>,
  about: readonly Event[],
  evidence: Evidence,
): RequestStory => {
  const { requestId, role, scopes, need, repair, client } = asked.data;
  const { origin, actor } = asked;
  const by = actor.kind === 'connection' ? actor : undefined;
  return {
    ...placeOf(asked),
    requestId,
    from: {
      address: origin?.address,
      displayName: origin?.displayName,
      userAgent: origin?.userAgent,
      browserOrigin: origin?.browserOrigin,
      erased: erasedBy(asked, evidence),
      connection: by?.connection,
      method: by?.method,
      credential: by?.credential,
    },
    ask: { role, scopes, need, repair, client },
    refreshed: about.filter((event) => event.type === 'pairing.refreshed' && event.data.requestId === requestId).length,
    outcome: outcomeOf(asked, about, evidence),
  };
};

const ENDINGS = {
  'pairing.approved': 'approved',
  'pairing.rejected': 'rejected',
  'pairing.expired': 'expired',
  'pairing.superseded': 'superseded',
} as const;

const outcomeOf = (
  asked: EventOf<'pairing.requested'>,
  about: readonly Event[],
  evidence: Evidence,
): Outcome | undefined => {
  const ending = about.find(
    (event) =>
      Object.hasOwn(ENDINGS, event.type) && 'requestId' in event.data && event.data.requestId === asked.data.requestId,
  );
  if (ending === undefined) return undefined;
  const token = about.find(
    (event) => event.cause === ending.seq && (event.type === 'token.issued' || event.type === 'token.rotated'),
  );
  return {
    ...placeOf(ending),
    what: ENDINGS[ending.type as keyof typeof ENDINGS],
    afterMs: ending.at - asked.at,
    by: personOf(ending, evidence),
    rule: ending.type === 'pairing.approved' ? ending.data.rule : undefined,
    supersededBy: ending.type === 'pairing.superseded' ? ending.data.by : undefined,
    today:
      ending.type === 'pairing.approved'
        ? (judge(ending, evidence.viewsAt(ending.seq - 1), {}, evidence) ?? null)
        : undefined,
    granted: ending.type === 'pairing.approved' ? { roles: ending.data.roles, scopes: ending.data.scopes } : undefined,
    token:
      token?.type === 'token.issued' || token?.type === 'token.rotated'
        ? { ...placeOf(token), credential: token.data.credential, role: token.data.role, scopes: token.data.scopes }
        : undefined,
  };
};

/** Its comings, and what it did to others; of a device with a long life the latest part. */
const sinceThen = (device: string, { log, upTo }: Evidence): Who['since'] => {
  const addresses = new Set<string>();
  const credentials = new Set<string>();
  const acts: Line[] = [];
  let connections = 0;
  let refused = 0;
  let first: Place | undefined;
  let last: Place | undefined;
  let looked = 0;
  let truncated = false;
  for (const event of log.backwards({ terms: [`device:${device}`], upTo })) {
    if (++looked > limits.forensics.eventsOfDevice) {
      truncated = true;
      break;
    }
    if (event.type === 'connection.accepted') {
      connections++;
      last ??= placeOf(event);
      first = placeOf(event);
      if (event.origin?.address !== undefined) addresses.add(event.origin.address);
      if (event.data.credential !== undefined) credentials.add(event.data.credential);
    } else if (event.type === 'connection.refused') refused++;
    else if (isAct(event, device) && acts.length < limits.forensics.acts) acts.push(lineOf(event));
  }
  acts.reverse();
  return {
    connections,
    refused,
    first,
    last,
    addresses: [...addresses],
    credentials: [...credentials],
    acts,
    truncated,
  };
};

/** Did the device do it, to somebody else? */
const isAct = (event: Event, device: string): boolean =>
  event.actor.kind === 'connection' &&
  event.actor.device === device &&
  event.subject !== `device:${device}` &&
  !event.type.startsWith('connection.');
