/** Numbers from the first to the last of them. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What is left of ranges, which are in order and apart, without others, which are in any order and may overlap. Each is looked at once. */
export const without = (ranges: readonly Range[], others: readonly Range[]): readonly Range[] => {
  const sorted = joined(others);
  const left: Range[] = [];
  let at = 0;
  for (const { from, to } of ranges) {
    let next = from;
    for (let other = sorted[at]; other !== undefined && other.from <= to; other = sorted[++at]) {
      if (other.from > next) left.push({ from: next, to: other.from - 1 });
      next = Math.max(next, other.to + 1);
      /* It may reach into the next of them. */
      if (other.to >= to) break;
    }
    if (next <= to) left.push({ from: next, to });
  }
  return left;
};

const joined = (ranges: readonly Range[]): readonly Range[] => {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = found.at(-1);
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
};
