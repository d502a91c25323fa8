import fc from 'fast-check';
import t from 'tap';
import { type Range, without } from '../../src/verify/ranges.js';

const range = fc.tuple(fc.nat(60), fc.nat(9)).map(([from, more]) => ({ from, to: from + more }));

const numbersOf = (ranges: readonly Range[]): readonly number[] =>
  ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i));

/** As the personal data that are missing are gathered: in order and apart. */
const apart = (ranges: readonly Range[]): readonly Range[] => {
  const numbers = [...new Set(numbersOf(ranges))].sort((a, b) => a - b);
  const found: { from: number; to: number }[] = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last?.to === number - 1) last.to = number;
    else found.push({ from: number, to: number });
  }
  return found;
};

t.test('what is left of ranges without others, as if number by number', async () => {
  fc.assert(
    fc.property(fc.array(range), fc.array(range), (ranges, others) => {
      const gone = new Set(numbersOf(others));
      const expected = numbersOf(apart(ranges)).filter((number) => !gone.has(number));
      return JSON.stringify(numbersOf(without(apart(ranges), others))) === JSON.stringify(expected);
    }),
  );
});

t.test('the time it takes grows with how many there are, and not with their square', async (t) => {
  let looks = 0;
  const many = Array.from({ length: 40_000 }, (_, n) => ({
    get from() {
      looks++;
      return 3 * n;
    },
    to: 3 * n,
  }));
  t.same(without(many, many), []);
  t.ok(looks < 40 * many.length, `${looks}`);
});
