import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { loadKeys } from '../../credentials/keys.js';
import { exit } from '../../errors.js';
import type { Incident } from '../../forensics/incident.js';
import type { Answered } from '../../forensics/questions.js';
import type { BlastRadius, Leak } from '../../forensics/radius.js';
import { markdown } from '../../forensics/report.js';
import { systemEntropy } from '../../runtime.js';
import { type AskOptions, ask } from '../ask.js';
import { call } from '../call.js';
import { Exit, json, say, tell } from '../output.js';
import { settingsFromHere } from '../reach.js';

/* openclaw audit credential: what a leaked credential touched, and how to shut it out. */

export interface CredentialOptions {
  readonly fingerprint?: string | undefined;
  readonly device?: string | undefined;
  readonly secretFromStdin: boolean;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly keep?: readonly string[] | undefined;
  readonly contain: boolean;
  readonly dryRun: boolean;
  /** File for the report. */
  readonly report?: string | undefined;
  readonly json: boolean;
}

type Contained = Answered<BlastRadius> & {
  readonly incident: string | null;
  readonly sessions?: number;
  readonly rounds?: number;
};

export const credential = async (wanted: CredentialOptions, options: AskOptions): Promise<void> => {
  const { since, until, keep, contain, dryRun, report } = wanted;
  if (report !== undefined) mustBeWritable(report);
  const leak: Leak = {
    ...lostIn(wanted),
    ...(since && { since }),
    ...(until && { until }),
    ...(keep && { keep }),
  };
  if (contain && options.log !== undefined)
    throw new Exit(exit.usage, ['--contain needs the gateway, not a copy of its log']);
  if (!contain || dryRun) {
    if (dryRun && !contain) throw new Exit(exit.usage, ['--dry-run goes with --contain']);
    const found = contain
      ? ((await call('incident.contain', { ...leak, dryRun: true }, options)) as Contained)
      : await ask<BlastRadius>('credential', leak, options);
    publish(wanted, found, undefined);
    if (!wanted.json && found.answer.plan.length > 0)
      tell(`Nothing was changed. To carry the plan out: ${again(found.answer, wanted)} --contain`);
    return;
  }
  const done = (await call('incident.contain', leak, options)) as Contained;
  if (done.incident === null) {
    publish(wanted, done, undefined);
    tell('Nothing was changed: nothing that derives from it is alive.');
    return;
  }
  const incident = await ask<Incident>('incident', { id: done.incident }, options);
  publish(wanted, done, incident.answer);
  if (done.answer.plan.some((step) => step.do === 'rotate-secret')) tellOfSecret();
};

/** What whoever shut the old secret out has to do now. */
const tellOfSecret = (): void => {
  const { auth, paths } = settingsFromHere();
  const from = auth.secret?.from;
  tell(
    auth.mode === 'password'
      ? `Nobody knows the password any more: set another one in ${from}, and restart the gateway.`
      : `The new gateway token is in ${paths.secret}.${from === undefined ? '' : ` Before the next start, take the old one out of ${from}: with it the gateway does not start.`}`,
  );
};

/** The same question again, for the shell. */
const again = ({ credential, device, kept }: BlastRadius, { since, until }: CredentialOptions): string =>
  [
    `openclaw audit credential ${credential ?? `--device ${device}`}`,
    ...(since === undefined ? [] : [`--since '${since}'`]),
    ...(until === undefined ? [] : [`--until '${until}'`]),
    ...(kept.length === 0 ? [] : [`--keep ${kept.join(' ')}`]),
  ].join(' ');

/** The report of an incident, also long after it, with what the same question finds now. */
export const incidentReport = async (
  id: string,
  how: Pick<CredentialOptions, 'report' | 'json'>,
  options: AskOptions,
): Promise<void> => {
  if (how.report !== undefined) mustBeWritable(how.report);
  const { answer } = await ask<Incident>('incident', { id }, options);
  const { credential, device, since, until, kept } = answer.planned;
  const leak: Leak = {
    ...(credential === undefined ? { device } : { credential }),
    ...(since === undefined ? {} : { since: String(since) }),
    ...(until === undefined ? {} : { until: String(until) }),
    ...(kept === undefined ? {} : { keep: kept }),
  };
  publish(how, await ask<BlastRadius>('credential', leak, options), answer);
};

const publish = (
  { report, json: asJson }: Pick<CredentialOptions, 'report' | 'json'>,
  found: Answered<BlastRadius>,
  incident: Incident | undefined,
): void => {
  const text = asJson ? JSON.stringify({ ...found, report: incident }, null, 2) : markdown(found.answer, incident);
  if (report === undefined) return asJson ? json({ ...found, report: incident }) : say(text.trimEnd());
  writeFileSync(report, `${text.trimEnd()}\n`, { mode: 0o600 });
  tell(`The report is in ${report}`);
};

/** Before anything is done: what was done must not be lost with its report. */
const mustBeWritable = (file: string): void => {
  try {
    if (existsSync(file) && statSync(file).isDirectory()) throw new Error(`${file} is a folder`);
    accessSync(existsSync(file) ? file : dirname(file), constants.W_OK);
  } catch (error) {
    throw new Exit(exit.usage, [`--report: ${(error as Error).message}`]);
  }
};

const lostIn = ({ fingerprint, device, secretFromStdin }: CredentialOptions): Pick<Leak, 'credential' | 'device'> => {
  if ([fingerprint !== undefined, device !== undefined, secretFromStdin].filter(Boolean).length !== 1)
    throw new Exit(exit.usage, [
      'name what is in other hands: a credential by its fingerprint, or with --secret-from-stdin by itself, or a device with --device',
    ]);
  if (device !== undefined) return { device };
  if (fingerprint === undefined) return { credential: fingerprintOfStdin() };
  if (looksLikeSecret(fingerprint))
    throw new Exit(exit.usage, [
      'that looks like the credential itself, and is in the history of your shell now: use --secret-from-stdin',
    ]);
  return { credential: fingerprint };
};

const fingerprintOfStdin = (): string => {
  const secret = readFileSync(0, 'utf8').trim();
  if (secret === '') throw new Exit(exit.usage, ['--secret-from-stdin: nothing came on standard input']);
  return loadKeys(settingsFromHere().paths.keys, systemEntropy(), 'refuse').fingerprint(secret);
};

const FINGERPRINT_CHARS = 16;
const looksLikeSecret = (text: string): boolean => text.length > FINGERPRINT_CHARS;
