import * as t from 'io-ts';

/* Numbers of events as text, in order: `5,7-19,23`. Thousands of neighbours cost a few bytes, thousands of scattered ones ten each. */

const FORM = /^\d{1,15}(?:-\d{1,15})?(?:,\d{1,15}(?:-\d{1,15})?)*$/;

export const Ranges = new t.Type<string>(
  'Ranges',
  (u): u is string => typeof u === 'string' && FORM.test(u),
  (u, context) => (typeof u === 'string' && FORM.test(u) ? t.success(u) : t.failure(u, context)),
  t.identity,
);

/** Of numbers in rising order. */
export const rangesOf = (numbers: Iterable<number>): string => {
  const ranges: [from: number, to: number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
};

/** The ranges themselves: each may be as long as whoever wrote it liked. */
export function* rangesIn(ranges: string): Iterable<readonly [from: number, to: number]> {
  if (ranges === '') return;
  for (const range of ranges.split(',')) {
    const [from, to = from] = range.split('-').map(Number);
    yield [from ?? 0, to ?? 0];
  }
}

export function* numbersIn(ranges: string): Iterable<number> {
  for (const [from, to] of rangesIn(ranges)) for (let number = from; number <= to; number++) yield number;
}

export const isInRanges = (ranges: string, number: number): boolean => {
  for (const [from, to] of rangesIn(ranges)) if (from <= number && number <= to) return true;
  return false;
};
