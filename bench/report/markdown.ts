import type { Figures } from '../scenarios/scenario.js';
import type { Machine } from './machine.js';
import { type Line, linesOf, type Result, verdictsOf } from './result.js';

/* The figures for people. */

/** Heads of the columns. */
const COLUMNS: readonly (readonly [figure: keyof Figures, head: string])[] = [
  ['perSecond', '/s'],
  ['done', 'done'],
  ['failed', 'failed'],
  ['seconds', 's'],
  ['p50', 'p50 ms'],
  ['p99', 'p99 ms'],
  ['p999', 'p99.9 ms'],
  ['cpuMicros', 'CPU µs each'],
  ['cpuPercent', 'CPU %'],
  ['machinePercent', 'machine %'],
  ['rssMiB', 'RSS MiB'],
  ['anonymousMiB', 'RssAnon MiB'],
  ['bytesEach', 'bytes each'],
  ['heapMiB', 'heap MiB'],
  ['tcpMiB', 'TCP MiB'],
  ['loopP50', 'loop p50 ms'],
  ['loopP99', 'loop p99 ms'],
  ['loopMax', 'loop max ms'],
  ['logBytes', 'log bytes'],
  ['logEvents', 'log events'],
];

const rounded = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value)
    ? '-'
    : value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0 });

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** Without the columns in which nobody has a figure. */
const tableOf = (lines: readonly Line[]): string => {
  const columns = COLUMNS.filter(([figure]) => lines.some(({ figures }) => figures[figure] !== undefined));
  const head = ['what', 'server', ...columns.map(([, name]) => name), ''];
  const cells = lines.map(({ what, server, figures, note }) => [
    what,
    server,
    ...columns.map(([figure]) => rounded(figures[figure])),
    note.replaceAll('|', '/'),
  ]);
  return [head, head.map(() => '---'), ...cells].map(row).join('\n');
};

/** Of the gateway against each other server: rates ours by theirs, costs and times theirs by ours. More is better for us. */
const RATIOS: readonly (keyof Figures)[] = ['perSecond', 'p99', 'cpuMicros', 'bytesEach'];

const ratiosOf = (lines: readonly Line[]): readonly string[] =>
  lines.flatMap(({ what, server, figures: theirs }) => {
    const ours = lines.find((line) => line.what === what && line.server === 'gateway')?.figures;
    if (server === 'gateway' || ours === undefined) return [];
    const parts = RATIOS.flatMap((figure) => {
      const [we, they] = [ours[figure], theirs[figure]];
      if (!we || !they) return [];
      const head = COLUMNS.find(([name]) => name === figure)?.[1] ?? figure;
      return [`${head} ${rounded(figure === 'perSecond' ? we / they : they / we)} ×`];
    });
    return parts.length === 0 ? [] : [`- ${what}, gateway beside ${server} (above 1: better): ${parts.join(', ')}`];
  });

export const sectionOf = (result: Result): string => {
  const lines = linesOf(result);
  const verdicts = verdictsOf(result).map(
    ({ target, found, reached }) => `- ${reached ? 'PASS' : 'miss'}: ${target}; found ${rounded(found)}`,
  );
  const parts = [
    `## ${result.scenario}`,
    `${result.says}${result.quick ? ' (quick: sizes that prove nothing)' : ''}`,
    tableOf(lines),
    ratiosOf(lines).join('\n'),
    verdicts.join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
};

export const markdownOf = (machine: Machine, results: readonly Result[]): string =>
  [
    '# Figures under load',
    'Made by `npm run bench`; `bench/README.md` says what is measured and how to read it. Medians over the turns; `-` is what cannot be had of that server.',
    `Machine: ${Object.values(machine).join(', ')}.`,
    ...results.map(sectionOf),
  ].join('\n\n');
