import { readFileSync } from 'node:fs';
import { exit } from '../../errors.js';
import type { Diff } from '../../forensics/diff.js';
import type { Rejudged } from '../../forensics/rejudge.js';
import type { Found, Search } from '../../forensics/search.js';
import type { StaleList } from '../../forensics/stale.js';
import type { Outcome, RequestStory, Who } from '../../forensics/who.js';
import type { LetIn, Refused, WhyAddress } from '../../forensics/why.js';
import { counted, event, gone, list, time } from '../../forensics/words.js';
import { type AskOptions, ask } from '../ask.js';
import { device, person, span } from '../audit-text.js';
import { lineOf } from '../event-lines.js';
import { Exit, json, say, tell } from '../output.js';
import { pages } from '../pages.js';

/* openclaw audit …: questions to the log. */

export const who = async (id: string, options: AskOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<Who>('who', { id }, options);
  if (asJson) return json(answered);
  const { device: about, requestId, requests, decisions, since } = answered.answer;
  const rights = about.state === 'paired' ? `: ${about.roles.join(', ')} with ${list(about.scopes, 'no scopes')}` : '';
  say(`${about.name === undefined ? 'Device' : `"${about.name}", device`} ${about.id}`);
  say(`Now ${about.state}${rights}`);
  for (const request of requests.filter((one) => requestId === undefined || one.requestId === requestId)) {
    say();
    for (const line of requestLines(request)) say(line);
  }
  if (decisions.length > 0) {
    say();
    say('Decided about it since');
    for (const { event: what } of decisions) say(`  ${lineOf(what)}`);
  }
  say();
  for (const line of sinceLines(since)) say(line);
};

const requestLines = ({
  requestId,
  seq,
  at,
  from,
  ask: asked,
  refreshed,
  outcome,
}: RequestStory): readonly string[] => [
  `Request ${requestId}`,
  `  asked     ${time(at)} from ${from.address ?? (from.erased === undefined ? 'this host' : gone(from.erased))}${from.displayName === undefined ? '' : ` as "${from.displayName}"`} ${event(seq)}`,
  `            with ${from.method ?? 'nothing'}${from.credential === undefined ? '' : ` ${from.credential}`}, ${asked.client.id} ${asked.client.version} on ${asked.client.platform}`,
  `            to be ${asked.role} with ${list(asked.scopes, 'no scopes')}: ${asked.need}${asked.repair ? ', repair' : ''}${refreshed > 0 ? `; asked again ${counted(refreshed, 'time')}` : ''}`,
  ...(outcome === undefined ? ['  waits     nobody has decided it'] : outcomeLines(outcome)),
];

const outcomeLines = ({
  what,
  at,
  seq,
  afterMs,
  by,
  rule,
  granted,
  token,
  supersededBy,
  today,
}: Outcome): readonly string[] => [
  `  ${what.padEnd(9)} ${time(at)}, ${span(afterMs)} later ${event(seq)}`,
  `            by ${person(by)}${rule === undefined ? '' : `; rule ${rule}`}${by.scopes === undefined ? '' : `, holding ${list(by.scopes, 'no scopes')}`}`,
  ...(today === undefined
    ? []
    : [`            today's rules would ${today === null ? 'allow it' : `refuse it: ${today.why}`}`]),
  ...(supersededBy === undefined ? [] : [`            by the larger request ${supersededBy}`]),
  ...(granted === undefined ? [] : [`  granted   ${list(granted.roles)} with ${list(granted.scopes, 'no scopes')}`]),
  ...(token === undefined
    ? []
    : [
        `            token ${token.credential} as ${token.role} with ${list(token.scopes, 'no scopes')} ${event(token.seq)}`,
      ]),
];

const sinceLines = ({
  connections,
  refused,
  first,
  last,
  addresses,
  credentials,
  acts,
  truncated,
}: Who['since']): readonly string[] => [
  `Since then: ${counted(connections, 'connection')}, ${counted(refused, 'refusal')}${truncated ? ' (of its latest events)' : ''}`,
  ...(first === undefined || last === undefined
    ? []
    : [`  first ${time(first.at)} ${event(first.seq)}, last ${time(last.at)} ${event(last.seq)}`]),
  ...(addresses.length === 0 ? [] : [`  from ${addresses.join(', ')}`]),
  ...(credentials.length === 0 ? [] : [`  with ${credentials.join(', ')}`]),
  ...(acts.length === 0 ? [] : ['  did']),
  ...acts.map(({ event: what }) => `  ${lineOf(what)}`),
];

export const why = async (id: string, options: AskOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<Refused | LetIn | WhyAddress>('why', { id }, options);
  if (asJson) return json(answered);
  const { answer } = answered;
  const lines =
    answer.is === 'refused' ? refusedLines(answer) : answer.is === 'let in' ? letInLines(answer) : addressLines(answer);
  for (const line of lines) say(line);
};

const refusedLines = (refused: Refused): readonly string[] => {
  const { connection, reason, at, seq, rule, change, close, clientClose, address, erased, request } = refused;
  const from = address ?? (erased === undefined ? undefined : gone(erased));
  return [
    `Refused: ${reason}. The rule: ${rule}.`,
    `To change: ${change}.`,
    `  connection ${connection}${from === undefined ? '' : ` from ${from}`}, ${time(at)} ${event(seq)}`,
    `  closed with ${close.code} ${close.reason}`,
    ...(clientClose === undefined
      ? []
      : [
          `  the client closed with ${clientClose.code} ${clientClose.reason}${clientClose.means === undefined ? '' : `: ${clientClose.means}`}`,
        ]),
    ...(request === undefined
      ? []
      : [
          request.state === 'waits'
            ? `  its request waits: openclaw devices approve ${request.id}`
            : `  its request ${request.id} was ${request.state} ${event(request.seq ?? 0)}${request.state === 'approved' ? ': it can connect now' : ''}`,
        ]),
  ];
};

const letInLines = ({ connection, at, seq, method, rule, missing, upgrade, closed }: LetIn): readonly string[] => [
  `Let in, by ${method}${rule === undefined ? '' : `, rule ${rule}`}`,
  `  connection ${connection}, ${time(at)} ${event(seq)}`,
  ...(missing.length === 0
    ? []
    : [
        `  without ${missing.join(', ')}: not granted${upgrade === undefined ? '' : `; the request for it: openclaw devices approve ${upgrade}`}`,
      ]),
  closed === undefined
    ? '  it is open, or ended with the gateway'
    : `  closed ${time(closed.at)} by ${closed.by}, ${closed.code} ${closed.reason} ${event(closed.seq)}${closed.cause === undefined ? '' : `, because of ${event(closed.cause)}`}`,
];

const addressLines = ({
  address,
  accepted,
  refused,
  latest,
  lockedUntil,
  summarised,
}: WhyAddress): readonly string[] => [
  `From ${address}: ${counted(accepted, 'connection')} let in, ${counted(
    refused.reduce((sum, { count }) => sum + count, 0),
    'refusal',
  )}`,
  ...(lockedUntil === undefined ? [] : [`  locked out until ${time(lockedUntil)}`]),
  ...refused.flatMap(({ reason, count, rule, change, first, last }) => [
    `  ${reason}: ${counted(count, 'time')}, ${time(first.at)} ${event(first.seq)} to ${time(last.at)} ${event(last.seq)}`,
    `    the rule: ${rule}`,
    `    to change: ${change}`,
  ]),
  ...(summarised.length === 0 ? [] : [`  more were only counted: ${summarised.map(event).join(', ')}`]),
  ...(latest === undefined ? [] : ['The last of them', ...refusedLines(latest).map((line) => `  ${line}`)]),
];

/** The events that fit, and with `follow` those to come. */
export const log = async (search: Search, follow: boolean, options: AskOptions, asJson: boolean): Promise<void> => {
  const show = ({ events }: Found): void => {
    for (const one of events) say(asJson ? JSON.stringify(one) : lineOf(one));
  };
  if (!follow) {
    const { answer } = await ask<Found>('log', search, options);
    show(answer);
    if (answer.more) tell('There are more: --limit shows more of them, --since and --until less.');
    return;
  }
  if (options.log !== undefined) throw new Exit(exit.usage, ['--follow: a copy does not grow']);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  for await (const { answer } of pages(search, options, stop.signal)) show(answer);
};

export const diff = async (from: string, to: string, options: AskOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<Diff>('diff', { from, to }, options);
  if (asJson) return json(answered);
  const { from: a, to: b, changes } = answered.answer;
  say(`From ${time(a.at)} ${event(a.seq)} to ${time(b.at)} ${event(b.seq)}`);
  if (changes.length === 0) say('Nothing changed');
  for (const { what, id, name, is, fields, because } of changes) {
    const subject =
      what === 'device' ? device(id, name) : what === 'request' ? `request of ${device(id, undefined)}` : what;
    say(
      `${is === 'new' ? '+' : is === 'gone' ? '-' : '~'} ${subject}${because.length === 0 ? '' : ` ${because.map(event).join(' ')}`}`,
    );
    for (const [field, [old, now]] of Object.entries(fields)) say(`    ${field}: ${shown(old)} → ${shown(now)}`);
  }
};

const shown = (value: unknown): string =>
  value === undefined || value === null ? 'none' : Array.isArray(value) ? list(value.map(String)) : String(value);

export const rejudge = async (rulesFile: string | undefined, options: AskOptions, asJson: boolean): Promise<void> => {
  const params = rulesFile === undefined ? {} : { rules: contentOf(rulesFile) };
  const answered = await ask<Rejudged>('rejudge', params, options);
  if (asJson) json(answered);
  else {
    const { approvals, refused } = answered.answer;
    say(`${counted(approvals, 'approval')} judged again, ${refused.length} would be refused now`);
    for (const {
      requestId,
      seq,
      at,
      device: id,
      name,
      roles,
      scopes,
      by,
      rule,
      refusedBy,
      why: reason,
      inForce,
    } of refused) {
      say();
      say(`${time(at)} ${device(id, name)}: ${list(roles)} with ${list(scopes, 'no scopes')} ${event(seq)}`);
      say(`  request ${requestId}, approved by ${person(by)}; rule ${rule}`);
      say(`  refused by ${refusedBy}: ${reason}`);
      say(inForce ? `  in force: openclaw devices remove ${id}, and let it ask again` : '  no longer in force');
    }
  }
};

const contentOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Exit(exit.usage, [`--rules: ${(error as Error).message}`]);
  }
};

export const stale = async (notSeen: string, options: AskOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<StaleList>('stale', { notSeen }, options);
  if (asJson) return json(answered);
  const { devices } = answered.answer;
  if (devices.length === 0) return say(`Every device and token was used in the last ${notSeen}`);
  for (const { device: id, name, approvedAt, seq, seenAt, whole, tokens } of devices) {
    const seen = seenAt === undefined ? 'never came' : `last here ${time(seenAt)}`;
    say(`${device(id, name)}: ${seen}, approved ${time(approvedAt)} ${event(seq)}${whole ? '' : '; in use, but for'}`);
    for (const { role, credential, usedAt } of tokens)
      say(`  token ${credential} as ${role}: ${usedAt === undefined ? 'never used' : `last used ${time(usedAt)}`}`);
  }
  const gone = devices.filter(({ whole }) => whole).length;
  if (gone > 0) say(`${counted(gone, 'device')} of them: openclaw devices prune --not-seen ${notSeen} --dry-run`);
};
