import { constants } from 'node:os';
import { type Arguments, argumentsIn, OPTIONS, Unable } from './arguments.js';
import { forensics } from './forensics.js';
import { handshakes } from './handshakes.js';
import type { Figure } from './measure.js';
import { proof } from './proof.js';
import { keepFigures, rowOf } from './report/figures.js';
import { keepResults } from './report/keep.js';
import { machineHere } from './report/machine.js';
import { markdownOf, sectionOf } from './report/markdown.js';
import type { Result } from './report/result.js';
import { roomHere } from './room.js';
import { scenarios } from './scenarios/index.js';
import { check, run } from './scenarios/run.js';
import { clearAway } from './servers/server.js';
import { start } from './start.js';

/* `npm run bench [-- name …] [--option …]`: measures, prints, and with --keep keeps what it found in bench/results. */

/** Figures of the gateway beside its limit alone. */
const FIGURES: Readonly<Record<string, (repeats: number) => Promise<readonly Figure[]>>> = {
  handshakes,
  start,
  forensics,
  proof,
};
const REPEATS = 3;
const EXIT_UNABLE = 2;
const EXIT_SIGNAL = 128;

const list = (): void => {
  for (const [name, { says, minutes, turns, byNameOnly }] of Object.entries(scenarios))
    console.log(
      `${name.padEnd(18)} ${says} (${turns} × about ${minutes} min for each server${byNameOnly ? '; only by name' : ''})`,
    );
  console.log(`${Object.keys(FIGURES).join(', ')}: the gateway beside its limit alone (only by name)`);
  console.log(`Options: ${OPTIONS}. What each of all this is: bench/README.md`);
};

const measureFigures = async (names: readonly string[], keep: boolean): Promise<void> => {
  const figures: Figure[] = [];
  for (const [name, bench] of Object.entries(FIGURES)) {
    if (!names.includes(name)) continue;
    for (const figure of await bench(REPEATS)) {
      figures.push(figure);
      console.log(rowOf(figure).join('  '));
    }
  }
  if (keep && figures.length > 0) keepFigures(figures);
};

const measureScenarios = async (names: readonly string[], said: Arguments): Promise<void> => {
  const machine = machineHere();
  const results: Result[] = [];
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (!names.includes(name)) continue;
    const result = await run(name, scenario, said, (server, row) =>
      console.error(name, server, row.what, row.note ?? ''),
    );
    results.push(result);
    console.log(sectionOf(result));
  }
  if (results.length === 0) return;
  console.log(markdownOf(machine, []));
  if (said.keep) console.log(`kept in ${keepResults(said.peer ? 'load-peer' : 'load', machine, results)}.md and .json`);
};

const main = async (): Promise<void> => {
  const said = argumentsIn(process.argv.slice(2), [...Object.keys(scenarios), ...Object.keys(FIGURES)]);
  if (said.list) return list();
  const usual = Object.keys(scenarios).filter((name) => !scenarios[name]?.byNameOnly);
  const names = said.names.length > 0 ? said.names : usual;
  check(Object.fromEntries(Object.entries(scenarios).filter(([name]) => names.includes(name))), said, roomHere());
  await measureScenarios(names, said);
  await measureFigures(names, said.keep);
};

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clearAway();
    process.exit(EXIT_SIGNAL + constants.signals[signal]);
  });

try {
  await main();
} catch (error) {
  if (!(error instanceof Unable)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = EXIT_UNABLE;
}
