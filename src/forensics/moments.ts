import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Refusal, refusal } from '../errors.js';
import type { Evidence } from './evidence.js';

/* Times as people write them. */

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** Whole words: of "2 months" the first letter alone would make two minutes. */
const LENGTH = /^\s*(\d+)\s*(s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?|d|days?|w|weeks?)\s*$/i;

/** The last moment that a date can name: the event of what is done from there on is read back as a time. */
const LAST_MS = 8_640_000_000_000_000;

const isTime = (ms: number): boolean => ms >= 0 && ms <= LAST_MS;

const FORMS =
  '2026-03-14T09:12:00Z, "2026-03-14 09:12" (UTC), 1773479520 (seconds or ms since 1970), "2h ago", or "now"';

/** Numbers below this count events, those above it time. */
const FIRST_EPOCH = 100_000_000;
const FIRST_EPOCH_MS = 100_000_000_000;

const RFC_3339 = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/i;

/** Ms since the epoch. */
export const timeOf = (text: string, now: number): Either<Refusal, number> => {
  const said = text.trim();
  if (said === 'now') return E.right(now);
  const [, ago] = /^(.*?)\s+ago$/.exec(said) ?? [];
  if (ago !== undefined) return E.map((ms: number) => Math.max(0, now - ms))(durationOf(ago));
  const at = /^\d+$/.test(said) ? epochOf(Number(said)) : dateOf(said);
  return isTime(at) ? E.right(at) : E.left(unreadable(text));
};

const epochOf = (count: number): number => {
  if (count < FIRST_EPOCH) return Number.NaN;
  return count >= FIRST_EPOCH_MS ? count : count * 1000;
};

/** A day that no month has is not a time: it would be taken for one of the next month. */
const dateOf = (said: string): number => {
  const [whole, zone] = RFC_3339.exec(said) ?? [];
  const day = said.slice(0, 10);
  if (whole === undefined || !isDay(day)) return Number.NaN;
  return Date.parse(`${said.replace(' ', 'T')}${zone === undefined && said.length > 10 ? 'Z' : ''}`);
};

const isDay = (day: string): boolean => {
  const at = Date.parse(day);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
};

const unreadable = (text: string): Refusal =>
  refusal('bad-time', `${JSON.stringify(text.slice(0, 40))} is not a time: write ${FORMS}`);

/** Ms. */
export const durationOf = (text: string): Either<Refusal, number> => {
  const [, count, unit = ''] = LENGTH.exec(text) ?? [];
  const ms = Number(count) * (UNITS[unit.slice(0, 1).toLowerCase()] ?? Number.NaN);
  return !isTime(ms)
    ? E.left(
        refusal('bad-time', `${JSON.stringify(text.slice(0, 40))} is not a length of time: write 90d, 12h, 30m or 45s`),
      )
    : E.right(ms);
};

/** The last event at a time, or the event that a small number names. */
export const seqOf = (text: string, { log, now, upTo }: Evidence): Either<Refusal, number> => {
  const number = /^#?(\d+)$/.exec(text.trim())?.[1];
  if (number !== undefined && Number(number) < FIRST_EPOCH) {
    return Number(number) <= upTo
      ? E.right(Number(number))
      : E.left(refusal('bad-time', `there is no event ${number} yet: the last is ${upTo}`));
  }
  return E.map((at: number) => log.seqAt(at))(timeOf(text, now));
};

/** The events of a stretch: those after `after`, up to `upTo`. */
export interface Stretch {
  readonly after: number;
  readonly upTo: number;
}

/** From the first event at or after `since` to the last at or before `until`. */
export const stretchOf = (
  { since, until }: { readonly since?: string | undefined; readonly until?: string | undefined },
  evidence: Evidence,
): Either<Refusal, Stretch> => {
  const after =
    since === undefined ? E.right(0) : E.map((seq: number) => firstOf(since, seq, evidence))(seqOf(since, evidence));
  if (E.isLeft(after)) return after;
  const upTo = until === undefined ? E.right(evidence.upTo) : seqOf(until, evidence);
  if (E.isLeft(upTo)) return upTo;
  return E.right({ after: after.right, upTo: Math.min(upTo.right, evidence.upTo) });
};

/** What was recorded in the very millisecond that is named belongs to the stretch. */
const firstOf = (since: string, seq: number, { log, now }: Evidence): number => {
  const at = timeOf(since, now);
  return E.isLeft(at) ? Math.max(0, seq - 1) : log.seqAt(at.right - 1);
};
