/*
 * Times by how often they occurred, log-linear: 64 steps for each power of two, so a quantile is off by at most 1.6 %, whatever its size,
 * and those of several processes are added up.
 */

const STEPS = 64;
const STEP_BITS = Math.log2(STEPS);
/** Microseconds below this have a step each. */
const EXACT = STEPS * 2;

const stepOf = (micros: number): number => {
  const value = Math.max(0, Math.round(micros));
  if (value < EXACT) return value;
  const power = Math.floor(Math.log2(value)) - STEP_BITS;
  return power * STEPS + Math.floor(value / 2 ** power);
};

/** The middle of a step. */
const middleOf = (step: number): number => {
  if (step < EXACT) return step;
  const power = Math.floor(step / STEPS) - 1;
  return (step - power * STEPS + 0.5) * 2 ** power;
};

/** As it travels between processes. */
export type Counts = readonly (readonly [step: number, count: number])[];

export class Histogram {
  private readonly counts = new Map<number, number>();
  private most = 0;
  total = 0;

  static of(...parts: readonly Counts[]): Histogram {
    const whole = new Histogram();
    for (const counts of parts) for (const [step, count] of counts) whole.put(step, count, middleOf(step));
    return whole;
  }

  /** A time in ms. */
  add(ms: number): void {
    const step = stepOf(ms * 1000);
    this.put(step, 1, ms * 1000);
  }

  /** In ms; undefined of nothing. */
  quantile(share: number): number | undefined {
    if (this.total === 0) return undefined;
    const rank = Math.max(1, Math.ceil(share * this.total));
    let seen = 0;
    for (const step of [...this.counts.keys()].sort((a, b) => a - b)) {
      seen += this.counts.get(step) ?? 0;
      if (seen >= rank) return Math.min(middleOf(step), this.most) / 1000;
    }
    return this.most / 1000;
  }

  toCounts(): Counts {
    return [...this.counts];
  }

  private put(step: number, count: number, micros: number): void {
    this.counts.set(step, (this.counts.get(step) ?? 0) + count);
    this.total += count;
    this.most = Math.max(this.most, micros);
  }
}
