import type { Test } from 'tap';
import { type Ended, openclaw } from './process.js';

/* Commands that are refused. */

const AT_ONCE = 6;

/** What is typed, and how it is refused. */
export interface Case {
  readonly args: readonly string[];
  readonly code: number;
  readonly err: RegExp;
  readonly stdin?: string;
}

/** Refused with its exit code, in few words and none of them on stdout. */
export const refuses = async (t: Test, state: string, { args, code, err, stdin }: Case): Promise<Ended> => {
  const ended = await openclaw(state, args, {}, stdin);
  const what = args.map((arg) => arg.slice(0, 40)).join(' ');
  t.equal(ended.code, code, `${what}: ${ended.err.slice(0, 300)}`);
  t.match(ended.err, err, what);
  t.equal(ended.out, '', `${what}: nothing on stdout`);
  t.notMatch(ended.err, /\n\s+at /, `${what}: no stack`);
  t.ok(ended.err.length < 2500, `${what}: in few words`);
  return ended;
};

/** All of them, a few at a time. */
export const refusesAll = async (t: Test, state: string, cases: readonly Case[]): Promise<readonly Ended[]> => {
  const ended: Ended[] = [];
  for (let at = 0; at < cases.length; at += AT_ONCE)
    ended.push(...(await Promise.all(cases.slice(at, at + AT_ONCE).map((one) => refuses(t, state, one)))));
  return ended;
};
