import type { Difference, Differences } from './comparison.js';
import type { Damage, DamageClass } from './damage.js';

/*
 * What happened to the places where the events are not those of the tree: changed, gone, moved to one another's place, or shifted by one that was
 * put in or taken out. The tree says what belongs where.
 */

interface Place {
  readonly seq: number;
  readonly class: DamageClass;
  /** The place that what is here belongs to. */
  readonly belongs?: number | undefined;
}

/** Neighbours to which the same happened. */
interface Run extends Place {
  to: number;
}

/** `size`: where the log ends, so that what is missing there is a tail that was cut off. */
export const leafDamage = ({ told: differences, rest }: Differences, size: number): readonly Damage[] => {
  const expectedAt = new Map(differences.map(({ seq, expected }) => [hex(expected), seq]));
  const actual = new Set(differences.map(({ actual }) => hex(actual)));
  const places = differences.map((difference, at): Place => {
    const { seq } = difference;
    if (difference.actual === undefined) return { seq, class: 'leaf-missing' };
    const belongs = expectedAt.get(hex(difference.actual));
    const lost = !actual.has(hex(difference.expected));
    if (belongs === seq + 1 && lost && differences[at - 1]?.seq !== seq - 1) return { seq, class: 'leaf-missing' };
    if (belongs !== undefined) return { seq, class: 'leaf-moved', belongs };
    const next = differences[at + 1];
    const shifted = next?.seq === seq + 1 && next.actual !== undefined && expectedAt.get(hex(next.actual)) === seq;
    return { seq, class: shifted && lostLater(differences, at, actual) ? 'leaf-inserted' : 'leaf-changed' };
  });
  const runs = runsOf(places);
  if (rest?.gone === true) {
    const last = runs.at(-1);
    if (last?.class === 'leaf-missing' && last.to === rest.from - 1) last.to = rest.to;
    else runs.push({ seq: rest.from, to: rest.to, class: 'leaf-missing' });
  }
  const damage = runs.map((run) => told(run, size));
  return rest === undefined || rest.gone
    ? damage
    : [...damage, { class: 'leaf-changed', from: rest.from, to: rest.to, what: TOO_MANY }];
};

const hex = (hash: Buffer | undefined): string => hash?.toString('hex') ?? '';

/** Where one was put in, what belongs to this place is found further on. */
const lostLater = (differences: readonly Difference[], at: number, actual: ReadonlySet<string>): boolean =>
  actual.has(hex(differences[at]?.expected));

const runsOf = (places: readonly Place[]): Run[] => {
  const runs: Run[] = [];
  for (const place of places) {
    const run = runs.at(-1);
    if (run !== undefined && goesOn(run, place)) run.to = place.seq;
    else runs.push({ ...place, to: place.seq });
  }
  return runs;
};

const goesOn = (last: Run, next: Place): boolean =>
  next.seq === last.to + 1 &&
  next.class === last.class &&
  next.class !== 'leaf-inserted' &&
  movedBy(next) === movedBy(last);

const movedBy = ({ seq, belongs }: Place): number => (belongs === undefined ? 0 : belongs - seq);

const told = (run: Run, size: number): Damage => {
  const { seq: from, to, class: kind, belongs } = run;
  if (kind === 'leaf-missing' && to === size)
    return { class: 'truncated-tail', from, to, what: 'nothing is there any more' };
  if (kind === 'leaf-moved' && belongs !== undefined) {
    const by = belongs - from;
    const what = from === to ? `it is event ${belongs}` : `they are events ${belongs} to ${to + by}`;
    return { class: kind, from, to, what };
  }
  return { class: kind, from, to, what: WORDS[kind] ?? '' };
};

const TOO_MANY = 'not all of these are what was hashed when it was recorded, and they are too many to tell apart';

const WORDS: { readonly [K in DamageClass]?: string } = {
  'leaf-changed': 'what is there is not what was hashed when it was recorded',
  'leaf-missing': 'nothing is there, or what comes after it',
  'leaf-inserted': 'what comes after it was moved by one',
};
