import { median } from '../measure.js';
import type { Figures, Row, Target } from '../scenarios/scenario.js';
import type { ServerName } from '../servers/index.js';

/* What a scenario found, and what that says of its targets. */

export interface Result {
  readonly scenario: string;
  readonly says: string;
  readonly quick: boolean;
  readonly measurements: readonly { readonly server: ServerName; readonly turn: number; readonly row: Row }[];
  readonly targets: readonly Target[];
}

export interface Line {
  readonly what: string;
  readonly server: ServerName;
  readonly figures: Figures;
  readonly note: string;
}

/** Of each thing and server one line: the medians over the turns. */
export const linesOf = ({ measurements }: Result): readonly Line[] => {
  const keys = [...new Set(measurements.map(({ server, row }) => `${row.what}\n${server}`))];
  return keys.map((key) => {
    const [what = '', server] = key.split('\n') as [string, ServerName];
    const rows = measurements.filter((one) => one.row.what === what && one.server === server).map(({ row }) => row);
    const names = new Set(rows.flatMap(({ figures }) => Object.keys(figures) as (keyof Figures)[]));
    const medians = [...names].flatMap((name) => {
      const values = rows.flatMap(({ figures }) => figures[name] ?? []);
      return values.length === 0 ? [] : [[name, median(values)] as const];
    });
    const notes = [...new Set(rows.flatMap(({ note }) => note ?? []))];
    return { what, server, figures: Object.fromEntries(medians), note: notes.join('; ') };
  });
};

export interface Verdict {
  readonly target: string;
  readonly found: number | undefined;
  readonly reached: boolean;
}

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 });

/** A target whose thing was not measured has no verdict, and quick sizes prove only that nothing failed. */
export const verdictsOf = (result: Result): readonly Verdict[] => {
  const lines = linesOf(result);
  const figureOf = (what: string, server: ServerName, figure: keyof Figures): number | undefined =>
    lines.find((line) => line.what === what && line.server === server)?.figures[figure];
  const targets = result.targets.filter(({ figure }) => !result.quick || figure === 'failed');
  return targets.flatMap(({ what, figure, most, least, of }) => {
    const found = figureOf(what, 'gateway', figure);
    const other = of && figureOf(what, of.server, figure);
    if (
      !lines.some((line) => line.what === what && (!result.quick || line.figures[figure] !== undefined)) ||
      (of && other === undefined)
    )
      return [];
    const floor = of && other !== undefined && figure === 'perSecond' ? other * of.times : least;
    const ceiling = of && other !== undefined && figure !== 'perSecond' ? other * of.times : most;
    const reached =
      found !== undefined && (floor === undefined || found >= floor) && (ceiling === undefined || found <= ceiling);
    const bound = [
      floor !== undefined ? `at least ${number(floor)}` : '',
      ceiling !== undefined ? `at most ${number(ceiling)}` : '',
    ];
    const whose = of ? ` (${of.times} × ${of.server})` : '';
    return [{ target: `${what}: ${figure} ${bound.filter(Boolean).join(', ')}${whose}`, found, reached }];
  });
};
