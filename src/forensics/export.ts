import { hash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import type { Event } from '../../events/index.js';
import type { Answered } from './questions.js';
import type { Found } from './search.js';

/*
 * The log for other systems: one row an event, in log order. What could not be read is a row, too: a gap is never silent. A consumer goes
 * on from a cursor, which names the last event it has and what that event was: on a log that is not the same one, it does not go on.
 */

export type Format = 'jsonl' | 'csv';

/** Numbers of events that are not in the export, and why. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  readonly why: string;
}

/** Columns of the CSV form. `data` is the JSON of what belongs to the type alone. */
export const COLUMNS = [
  'seq',
  'at',
  'type',
  'subject',
  'actor_kind',
  'actor_rule',
  'actor_connection',
  'actor_method',
  'actor_device',
  'actor_credential',
  'cause',
  'address',
  'display_name',
  'os_user',
  'data',
] as const;

const iso = (ms: number): string => new Date(ms).toISOString();

/** Texts from outside may begin like a formula: a spreadsheet would run it. */
const row = (cells: readonly (string | number | undefined)[]): string =>
  stringify([[...cells]], { escape_formulas: true });

export const header = (format: Format): string => (format === 'csv' ? row(COLUMNS) : '');

export const eventRow = (event: Event, format: Format): string => {
  if (format === 'jsonl') return `${JSON.stringify(event)}\n`;
  const { seq, at, type, subject, actor, cause, origin, data } = event;
  const by = actor.kind === 'connection' ? actor : undefined;
  return row([
    seq,
    iso(at),
    type,
    subject,
    actor.kind,
    actor.kind === 'gateway' ? actor.rule : undefined,
    by?.connection,
    by?.method,
    by?.device,
    by?.credential,
    cause,
    origin?.address,
    origin?.displayName,
    origin?.osUser,
    JSON.stringify(data),
  ]);
};

export const gapRow = (gap: Gap, format: Format): string =>
  format === 'jsonl' ? `${JSON.stringify({ gap })}\n` : marker(gap.from, 'export.gap', gap);

/** A sign of life while nothing happens: the last event there is, when it was, and how long ago. A consumer that sees none knows that something stopped. */
export const aliveRow = (alive: { readonly position: number; readonly at: number }, format: Format): string =>
  format === 'jsonl' ? `${JSON.stringify({ alive })}\n` : marker(alive.position, 'export.alive', alive);

const marker = (seq: number, type: string, data: object): string =>
  row(COLUMNS.map((column) => ({ seq, type, data: JSON.stringify(data) })[column as 'seq' | 'type' | 'data']));

/** The rows of a page, from the event after `after` on. Without filters every number is accounted for. */
export function* rowsOf(
  { answer, damaged, upTo }: Answered<Found>,
  after: number,
  whole: boolean,
  format: Format,
): Iterable<string> {
  let last = after;
  const gapBefore = function* (seq: number): Iterable<string> {
    if (whole && seq > last + 1) yield gapRow(gapOf(last + 1, seq - 1, damaged), format);
    last = seq;
  };
  for (const event of answer.events) {
    yield* gapBefore(event.seq);
    yield eventRow(event, format);
  }
  if (!answer.more) yield* gapBefore(upTo + 1);
}

const gapOf = (from: number, to: number, damaged: Answered['damaged']): Gap => ({
  from,
  to,
  why: damaged.find((damage) => damage.from <= from && from <= damage.to)?.what ?? 'not in the log',
});

const DIGEST_CHARS = 16;

/** Names an event by its number and by what it was. */
export const cursorOf = (event: Event): string => {
  const { seq, at, type, subject, actor, cause, data } = event;
  return `${seq}.${hash('sha256', JSON.stringify([seq, at, type, subject, actor, cause, data]), 'hex').slice(0, DIGEST_CHARS)}`;
};

export const seqOfCursor = (cursor: string): number | undefined => {
  const [, seq] = /^(\d+)\.[0-9a-f]{16}$/.exec(cursor.trim()) ?? [];
  return seq === undefined ? undefined : Number(seq);
};
