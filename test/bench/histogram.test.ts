import t from 'tap';
import { Histogram } from '../../bench/load/histogram.js';

t.test('nothing has no quantile', async (t) => {
  t.equal(new Histogram().quantile(0.5), undefined);
});

t.test('one value is every quantile of itself', async (t) => {
  const histogram = new Histogram();
  histogram.add(7);
  for (const share of [0, 0.5, 0.999, 1]) t.ok(Math.abs((histogram.quantile(share) ?? 0) - 7) <= 7 * 0.016);
});

t.test('a quantile is off by at most 1.6 %, from microseconds to hours', async (t) => {
  for (const scale of [0.05, 1, 40, 5000, 3_600_000]) {
    const values = Array.from({ length: 2000 }, (_, n) => scale * (1 + n / 500));
    const histogram = new Histogram();
    for (const value of values) histogram.add(value);
    for (const share of [0.01, 0.5, 0.9, 0.99, 0.999]) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
      const off = Math.abs((histogram.quantile(share) ?? 0) - exact);
      t.ok(off <= exact * 0.016 + 0.0005, `${share} of ${scale}: off by ${off}`);
    }
  }
});

t.test('those of several processes are added up', async (t) => {
  const [one, other] = [new Histogram(), new Histogram()];
  for (let ms = 1; ms <= 100; ms++) (ms % 2 === 0 ? one : other).add(ms);
  const both = Histogram.of(one.toCounts(), other.toCounts());
  t.equal(both.total, 100);
  t.ok(Math.abs((both.quantile(0.5) ?? 0) - 50) < 1);
  t.ok((both.quantile(1) ?? 0) >= 99);
});
