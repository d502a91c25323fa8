import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import {
  GATEWAY,
  nameOf,
  type OriginOf,
  type PairedDevice,
  type PendingRequest,
  type Rows,
  type Views,
} from '../../projections/index.js';
import type { Refusal } from '../errors.js';
import type { Evidence } from './evidence.js';
import { type Moment, momentOf } from './state.js';

/** One thing that is other than it was, and the events that made it so. */
export interface Change {
  readonly what: 'device' | 'request' | 'secret' | 'connections';
  readonly id: string;
  readonly name?: string | undefined;
  readonly is: 'new' | 'gone' | 'changed';
  /** Field by field, old and new. */
  readonly fields: Readonly<Record<string, readonly [from: unknown, to: unknown]>>;
  readonly because: readonly number[];
}

export interface Diff {
  readonly from: Moment;
  readonly to: Moment;
  readonly changes: readonly Change[];
}

/** What changed between two moments, whichever comes first. */
export const diff = (a: string, b: string, evidence: Evidence): Either<Refusal, Diff> => {
  const one = momentOf(a, evidence);
  if (E.isLeft(one)) return one;
  const other = momentOf(b, evidence);
  if (E.isLeft(other)) return other;
  const [from, to] = one.right.seq <= other.right.seq ? [one.right, other.right] : [other.right, one.right];
  const before = evidence.viewsAt(from.seq);
  const after = evidence.viewsAt(to.seq);
  const because = (subject: string): readonly number[] =>
    [...evidence.log.query({ terms: [`subject:${subject}`], after: from.seq, upTo: to.seq })].map(({ seq }) => seq);
  return E.right({
    from,
    to,
    changes: [
      ...rowsThatDiffer(before.paired, after.paired, deviceFields(evidence.originOf)).map((change) => ({
        what: 'device' as const,
        name: nameIn(change.id, before, after, evidence.originOf),
        ...change,
        because: because(`device:${change.id}`),
      })),
      ...rowsThatDiffer(before.pending, after.pending, requestFields).map((change) => ({
        what: 'request' as const,
        ...change,
        because: because(`device:${change.id}`),
      })),
      ...secretChange(before, after),
      ...connectionsChange(before, after),
    ],
  });
};

type Fields = Readonly<Record<string, unknown>>;

const nameIn = (device: string, before: Views, after: Views, originOf: OriginOf): string | undefined => {
  const row = after.paired.get(device) ?? before.paired.get(device);
  return row && nameOf(row, originOf);
};

const deviceFields =
  (originOf: OriginOf) =>
  (row: PairedDevice): Fields => ({
    name: nameOf(row, originOf),
    roles: row.roles,
    scopes: row.scopes,
    platform: row.client.platform,
    rule: row.rule,
    ...Object.fromEntries(
      Object.entries(row.tokens).map(([role, { credential, revokedAt }]) => [
        `${role} token`,
        revokedAt === undefined ? credential : `${credential} (revoked)`,
      ]),
    ),
  });

const requestFields = ({ requestId, roles, scopes, need }: PendingRequest): Fields => ({
  requestId,
  roles,
  scopes,
  need,
});

type Differs = Pick<Change, 'id' | 'is' | 'fields'>;

const rowsThatDiffer = <R>(before: Rows<R>, after: Rows<R>, fieldsOf: (row: R) => Fields): readonly Differs[] => {
  const changes: Differs[] = [];
  for (const [id, row] of after.entries()) {
    const old = before.get(id);
    const fields = fieldsThatDiffer(old === undefined ? {} : fieldsOf(old), fieldsOf(row));
    if (old === undefined) changes.push({ id, is: 'new', fields });
    else if (Object.keys(fields).length > 0) changes.push({ id, is: 'changed', fields });
  }
  for (const [id, row] of before.entries())
    if (after.get(id) === undefined) changes.push({ id, is: 'gone', fields: fieldsThatDiffer(fieldsOf(row), {}) });
  return changes;
};

const fieldsThatDiffer = (before: Fields, after: Fields): Change['fields'] => {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const differing = [...names].filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]));
  return Object.fromEntries(differing.map((name) => [name, [before[name], after[name]] as const]));
};

const secretChange = (before: Views, after: Views): readonly Change[] => {
  const from = before.gateway.get(GATEWAY)?.secret;
  const to = after.gateway.get(GATEWAY)?.secret;
  if (from?.credential === to?.credential || to === undefined) return [];
  const is = from === undefined ? 'new' : 'changed';
  return [
    {
      what: 'secret',
      id: 'gateway',
      is,
      fields: { fingerprint: [from?.credential, to.credential] },
      because: [to.seq],
    },
  ];
};

const connectionsChange = (before: Views, after: Views): readonly Change[] => {
  const old = new Set([...before.connected.entries()].map(([key]) => key));
  const now = new Set([...after.connected.entries()].map(([key]) => key));
  if (old.size === 0 && now.size === 0) return [];
  const opened = [...now].filter((key) => !old.has(key)).length;
  const closed = [...old].filter((key) => !now.has(key)).length;
  if (opened === 0 && closed === 0) return [];
  return [
    {
      what: 'connections',
      id: 'gateway',
      is: 'changed',
      fields: {
        open: [old.size, now.size],
        stayed: [undefined, now.size - opened],
        opened: [undefined, opened],
        closed: [undefined, closed],
      },
      because: [],
    },
  ];
};
