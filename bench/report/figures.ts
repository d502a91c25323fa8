import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { type Figure, median } from '../measure.js';

/* Figures of the gateway beside its limit: printed, and kept in one pair of files per major version of Node. */

const RESULTS = 'bench/results';

const rounded = (value: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0, useGrouping: true });

/** The share of the limit that is reached, turn by turn: for rates ours by the limit, for costs the limit by ours. */
const ratioOf = ({ unit, ours, limit }: Figure): string => {
  if (limit === undefined) return '';
  const ratios = ours.map((value, turn) => value / (limit[turn] ?? Number.NaN));
  const ratio = median(ratios);
  return `${Math.round((unit === '/s' ? ratio : 1 / ratio) * 100)} %`;
};

export const rowOf = (figure: Figure): readonly string[] => {
  const { name, unit, ours, limit, note = '' } = figure;
  const spread = ours.length > 1 ? `${rounded(Math.min(...ours))} to ${rounded(Math.max(...ours))}` : '';
  return [name, unit, rounded(median(ours)), spread, limit ? rounded(median(limit)) : '', ratioOf(figure), note];
};

const merged = (file: string, figures: readonly Figure[]): readonly Figure[] => {
  const before = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as { figures: readonly Figure[] }).figures
    : [];
  const anew = new Set(figures.map(({ name }) => name));
  return [...before.filter(({ name }) => !anew.has(name)), ...figures];
};

const HEAD = ['what', 'unit', 'gateway', 'spread', 'limit', 'of the limit', ''];

const markdown = (machine: object, rows: readonly (readonly string[])[]): string =>
  [
    `# Figures on Node ${process.versions.node}`,
    '',
    'Made by `npm run bench`; `bench/README.md` says what is measured and how. Medians, with the least and the most of the repeats.',
    '',
    `Machine: ${Object.values(machine).join(', ')}.`,
    '',
    ...[HEAD, HEAD.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n');

/** Figures of some benches take the place of the kept ones with their names. */
export const keepFigures = (figures: readonly Figure[]): void => {
  const machine = {
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: `Node ${process.versions.node}`,
  };
  const file = `${RESULTS}/node${process.versions.node.split('.')[0]}`;
  mkdirSync(RESULTS, { recursive: true });
  const kept = merged(`${file}.json`, figures);
  writeFileSync(`${file}.json`, `${JSON.stringify({ machine, figures: kept }, null, 2)}\n`);
  writeFileSync(`${file}.md`, markdown(machine, kept.map(rowOf)));
  console.log(`kept in ${file}.md and ${file}.json`);
};
