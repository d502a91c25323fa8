import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Machine } from './machine.js';
import { markdownOf } from './markdown.js';
import type { Result } from './result.js';

const FOLDER = 'bench/results';

/** Results take the place of kept ones of the same scenario. Those of another kind of machine are in files of their own: `name`. */
export const keepResults = (name: string, machine: Machine, results: readonly Result[]): string => {
  const file = `${FOLDER}/${name}`;
  const before = existsSync(`${file}.json`)
    ? (JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { results: readonly Result[] }).results
    : [];
  const anew = new Set(results.map(({ scenario }) => scenario));
  const kept = [...before.filter(({ scenario }) => !anew.has(scenario)), ...results];
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${file}.json`, `${JSON.stringify({ machine, results: kept }, null, 2)}\n`);
  writeFileSync(`${file}.md`, markdownOf(machine, kept));
  return file;
};
