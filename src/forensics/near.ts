import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { nameOf } from '../../projections/index.js';
import { type Refusal, refusal } from '../errors.js';
import type { Evidence } from './evidence.js';

/* Ids are long and get cut, mistyped and mixed up. The beginning of one is enough where no other begins so; else what is near is named. */

/** What an id can be of. */
export interface Known {
  readonly kind: 'device' | 'request' | 'connection' | 'credential';
  readonly id: string;
  readonly name?: string | undefined;
}

const LEAST_CHARS = 6;
const NAMED = 3;
const RECENT = 2000;

/** Devices that are or were here, requests that wait, credentials, sessions that are open. */
function* standing({ views, originOf }: Evidence): Iterable<Known> {
  const devices = new Set<string>();
  const device = (id: string, name?: string): readonly Known[] => {
    if (devices.has(id)) return [];
    devices.add(id);
    return [{ kind: 'device', id, name }];
  };
  for (const [id, row] of views.paired.entries()) yield* device(id, nameOf(row, originOf));
  for (const [id, { requestId, seq }] of views.pending.entries()) {
    yield* device(id, originOf(seq)?.displayName);
    yield { kind: 'request', id: requestId };
  }
  for (const [id, credential] of views.credentials.entries()) {
    yield { kind: 'credential', id };
    if (credential.kind === 'device-token') yield* device(credential.device);
  }
  for (const [key] of views.connected.entries()) yield { kind: 'connection', id: key.split('/').at(-1) ?? key };
}

/** Where requests and connections that are over are found. */
const OVER = [
  ['request', 'pairing.requested'],
  ['connection', 'connection.refused'],
  ['connection', 'connection.accepted'],
] as const;

/** The latest of them, if they are of a kind that is asked for: this reads the log. */
function* recent(kinds: readonly Known['kind'][], { log, upTo }: Evidence): Iterable<Known> {
  for (const [kind, type] of OVER) {
    if (!kinds.includes(kind)) continue;
    let seen = 0;
    for (const event of log.backwards({ terms: [`type:${type}`], upTo })) {
      if (++seen > RECENT) break;
      if (event.type === 'pairing.requested') yield { kind: 'request', id: event.data.requestId };
      else if (event.type === 'connection.refused' || event.type === 'connection.accepted')
        yield { kind: 'connection', id: event.data.connection };
    }
  }
}

/** The thing that was meant: by its id, the beginning of it, or the name of a device. */
export const meant = (said: string, kinds: readonly Known['kind'][], evidence: Evidence): Either<Refusal, Known> => {
  const all = [...standing(evidence), ...recent(kinds, evidence)].filter(({ kind }) => kinds.includes(kind));
  const known = [...new Map(all.map((one) => [`${one.kind} ${one.id}`, one])).values()];
  const text = said.trim().toLowerCase();
  const exact = known.find(({ id }) => id === text);
  if (exact !== undefined) return E.right(exact);
  /* Names are what devices say of themselves: anybody may have any. */
  const named = known.filter(({ name }) => name?.toLowerCase() === text);
  if (named.length === 1 && named[0] !== undefined) return E.right(named[0]);
  if (named.length > 1)
    return E.left(refusal('unknown-id', `more than one device has that name: ${named.map(shown).join(', ')}`));
  const begun = text.length < LEAST_CHARS ? [] : known.filter(({ id }) => id.startsWith(text));
  if (begun.length === 1 && begun[0] !== undefined) return E.right(begun[0]);
  const near = (begun.length > 0 ? begun : nearest(text, known)).slice(0, NAMED);
  const what = kinds.join(' or ');
  return E.left(
    refusal(
      'unknown-id',
      begun.length > 1
        ? `more than one ${what} begins like that: ${near.map(shown).join(', ')}`
        : `no ${what} of that id in the log${near.length === 0 ? '' : `; near it: ${near.map(shown).join(', ')}`}`,
      { near: near.map(({ kind, id }) => ({ kind, id })) },
    ),
  );
};

/** The whole id of what is named by it, by its beginning or, a device, by its name. What nobody knows is refused, not found missing. */
export const identified = (kind: Known['kind'], said: string, evidence: Evidence): Either<Refusal, string> => {
  for (const _ of evidence.log.query({ terms: [`${kind}:${said}`] })) return E.right(said);
  return E.map(({ id }: Known) => id)(meant(said, [kind], evidence));
};

const shown = ({ kind, id, name }: Known): string => `${kind} ${id}${name === undefined ? '' : ` (${name})`}`;

/** Those that share the longest beginning, if it is more than chance. */
const nearest = (text: string, known: readonly Known[]): readonly Known[] =>
  known
    .map((one) => ({ one, shared: sharedBeginning(text, one.id) }))
    .filter(({ shared }) => shared >= 2)
    .sort((a, b) => b.shared - a.shared)
    .map(({ one }) => one);

const sharedBeginning = (a: string, b: string): number => {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
};
