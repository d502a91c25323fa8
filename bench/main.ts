import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { approvals } from './approvals.js';
import { forensics } from './forensics.js';
import { handshakes } from './handshakes.js';
import { idle } from './idle.js';
import { type Figure, median } from './measure.js';
import { proof } from './proof.js';
import { requests } from './requests.js';
import { start } from './start.js';

/*
 * `npm run bench [-- name … [--keep]]`: measures, prints, and with no names, or with --keep, keeps the figures in bench/results, one pair of
 * files per major version of Node.
 */

const BENCHES: Readonly<Record<string, (repeats: number) => Promise<readonly Figure[]>>> = {
  handshakes,
  requests,
  approvals,
  idle,
  start,
  forensics,
  proof,
};
const REPEATS = 3;
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

const rowOf = (figure: Figure): readonly string[] => {
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

const said = process.argv.slice(2);
/** Figures of some benches take the place of the kept ones with their names. */
const keep = said.includes('--keep');
const names = said.filter((word) => word !== '--keep');
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (unknown.length > 0) {
  console.error(`no bench ${unknown.join(', ')}: there are ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}

const figures: Figure[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (names.length > 0 && !names.includes(name)) continue;
  for (const figure of await bench(REPEATS)) {
    figures.push(figure);
    console.log(rowOf(figure).join('  '));
  }
}
if (names.length === 0 || keep) {
  const machine = {
    cpu: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    system: `${process.platform} ${process.arch}`,
    node: `Node ${process.versions.node}`,
  };
  const file = `${RESULTS}/node${process.versions.node.split('.')[0]}`;
  mkdirSync(RESULTS, { recursive: true });
  const kept = names.length === 0 ? figures : merged(`${file}.json`, figures);
  writeFileSync(`${file}.json`, `${JSON.stringify({ machine, figures: kept }, null, 2)}\n`);
  writeFileSync(`${file}.md`, markdown(machine, kept.map(rowOf)));
  console.log(`kept in ${file}.md and ${file}.json`);
}
