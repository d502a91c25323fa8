import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Refusal, refusal } from '../errors.js';
import type { Evidence } from './evidence.js';

/* Times as people write them. */

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

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
  if (ago !== undefined) return E.map((ms: number) => now - ms)(durationOf(ago));
  if (/^\d+$/.test(said) && Number(said) >= FIRST_EPOCH)
    return E.right(Number(said) >= FIRST_EPOCH_MS ? Number(said) : Number(said) * 1000);
  const [whole, zone] = RFC_3339.exec(said) ?? [];
  const at =
    whole === undefined
      ? Number.NaN
      : Date.parse(`${said.replace(' ', 'T')}${zone === undefined && said.length > 10 ? 'Z' : ''}`);
  return Number.isNaN(at) ? E.left(unreadable(text)) : E.right(at);
};

const unreadable = (text: string): Refusal =>
  refusal('bad-time', `${JSON.stringify(text.slice(0, 40))} is not a time: write ${FORMS}`);

/** Ms. */
export const durationOf = (text: string): Either<Refusal, number> => {
  const [, count, unit = ''] = /^\s*(\d+)\s*(s|m|h|d|w)[a-z]*\s*$/i.exec(text) ?? [];
  const ms = UNITS[unit.toLowerCase()];
  return count === undefined || ms === undefined
    ? E.left(
        refusal('bad-time', `${JSON.stringify(text.slice(0, 40))} is not a length of time: write 90d, 12h, 30m or 45s`),
      )
    : E.right(Number(count) * ms);
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
