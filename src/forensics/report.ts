import type { Step } from '../decisions/contain.js';
import type { Incident } from './incident.js';
import type { Person } from './people.js';
import type { Act, BlastRadius, Branch, Token, Use } from './radius.js';
import { counted, event, list, time } from './words.js';

/* The report of an incident, in Markdown: for people who were not there. Every statement ends with the number of its event. */

/** What devices say of themselves is text, not layout. */
const plain = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&');
const named = (device: string | undefined, name: string | undefined): string =>
  device === undefined ? 'no device' : `${name === undefined ? 'device' : `"${plain(name)}"`} \`${device}\``;

export const markdown = (radius: BlastRadius, incident: Incident | undefined): string =>
  [
    `# ${incident === undefined ? 'Blast radius' : `Incident ${incident.incident}`}: ${subjectOf(radius)}`,
    '',
    ...summary(radius),
    '',
    ...(incident === undefined ? planned(radius) : measures(incident)),
    '',
    '## What it touched',
    '',
    ...tree(radius),
    ...(radius.tokens.length === 0 ? [] : ['', '## Tokens of devices that had been let in before', '']),
    ...radius.tokens.map((token) => `- ${named(token.device, undefined)}: ${tokenText(token)}`),
    '',
  ].join('\n');

const subjectOf = ({ credential, device, name }: BlastRadius): string =>
  credential === undefined ? named(device, name) : `credential ${credential}`;

const KINDS = {
  device: 'a device that was lost',
  secret: 'the shared secret of the gateway',
  'device-token': 'a device token',
  unknown: 'a credential that was never right',
};

const summary = ({
  kind,
  holder,
  issued,
  endedBy,
  counts,
  first,
  last,
  addresses,
  stretch,
  kept,
}: BlastRadius): readonly string[] => [
  `It is ${KINDS[kind]}${holder === undefined ? '' : ` of ${named(holder.device, holder.name)} as ${holder.role}`}${issued === undefined ? '' : `, ${kind === 'device' ? 'approved' : 'in force since'} ${event(issued)}`}${endedBy === undefined ? '' : `, ended by ${event(endedBy)}`}.`,
  '',
  `- Looked at: events ${stretch.after + 1} to ${stretch.upTo}`,
  `- ${counted(counts.connections, 'connection')} let in, ${counts.refused} refused; open when this was asked: ${counts.open} by it, ${counts.openBelow} of what it let in`,
  ...(first === undefined || last === undefined
    ? ['- Never used']
    : [`- First use ${time(first.at)} ${event(first.seq)}, last ${time(last.at)} ${event(last.seq)}`]),
  `- From ${list(addresses, 'no address')}`,
  `- ${counted(counts.acts, 'act')}, ${counted(counts.devices, 'device')} let in because of it, ${counted(counts.tokens, 'token')}`,
  ...(kept.length === 0 ? [] : [`- Vouched for, and not followed: ${kept.join(', ')}`]),
];

const planned = ({ plan }: BlastRadius): readonly string[] => [
  '## What would contain it',
  '',
  ...(plan.length === 0 ? ['Nothing is left to do: nothing that derives from it is alive.'] : []),
  ...plan.map((step) => `- ${stepText(step)}`),
];

const stepText = (step: Step): string => {
  switch (step.do) {
    case 'rotate-secret':
      return 'Replace the shared secret of the gateway';
    case 'bar-secret':
      return 'Never accept it again: it has been replaced already, but a restart could bring it back';
    case 'revoke-token':
      return `Revoke the ${step.role} token ${step.credential} of device \`${step.device}\` ${event(step.because)}`;
    case 'remove-device':
      return `Remove device \`${step.device}\` ${event(step.because)}`;
    case 'reject-request':
      return `Reject request ${step.requestId} of device \`${step.device}\` ${event(step.because)}`;
  }
};

const DONE: Readonly<Record<string, string>> = {
  'gateway.secret-rotated': 'The shared secret was replaced',
  'gateway.secret-barred': 'A shared secret was barred: it is never accepted again',
  'device.removed': 'Removed',
  'token.revoked': 'Token revoked',
  'pairing.rejected': 'Request rejected',
};

const measures = ({ by, opened, closed, measures: done }: Incident): readonly string[] => [
  '## What was done',
  '',
  `Opened ${time(opened.at)} ${event(opened.seq)} by ${approver(by)}.`,
  '',
  ...done
    .filter(({ type }) => Object.hasOwn(DONE, type))
    .map(
      (measure) =>
        `- ${DONE[measure.type]}${measure.about === 'gateway' ? '' : `: ${measure.about}`} ${event(measure.seq)}; closed ${counted(measure.closed.length, 'session')}${measure.closed.length === 0 ? '' : `: ${measure.closed.map(({ seq }) => event(seq)).join(' ')}`}`,
    ),
  '',
  closed === undefined
    ? 'It is **not closed**: it was cut short. Run it again.'
    : `Closed ${time(closed.at)} ${event(closed.seq)} after ${counted(closed.rounds, 'round')}; ${counted(closed.sessions, 'session')} closed. Nothing that derives from the credential was left.`,
];

/** A line for each use and act, and below an act the branch that it grew. A chain may be of any length, so this keeps its own stack. */
const tree = ({ uses, acts, branches }: BlastRadius): readonly string[] => {
  const lines: string[] = [];
  const stack: (string | { readonly branch: number; readonly depth: number })[] = [];
  const under = (uses: readonly Use[], acts: readonly Act[], depth: number): void => {
    const indent = '  '.repeat(Math.min(depth, DEEPEST));
    const below = [
      ...uses.map((use) => `${indent}- ${useText(use)}`),
      ...acts.flatMap((act) => [
        `${indent}- ${time(act.at)} ${act.type} ${act.requestId ?? act.about} ${event(act.seq)}`,
        ...(act.branch === undefined ? [] : [{ branch: act.branch, depth: depth + 1 }]),
      ]),
    ];
    stack.push(...below.reverse());
  };
  under(uses, acts, 0);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next === 'string') {
      lines.push(next);
      continue;
    }
    const branch = branches[next.branch];
    if (branch === undefined) continue;
    lines.push(...branchLines(branch, '  '.repeat(Math.min(next.depth, DEEPEST))));
    under(branch.uses, branch.acts, next.depth + 1);
  }
  return lines.length === 0 ? ['- nothing'] : lines;
};

/** Lines are indented this often at most. */
const DEEPEST = 16;

const useText = ({ device, name, address, connections, refused, first, last, scopes, told }: Use): string =>
  [
    `${named(device, name)} from ${address ?? 'this host'}: ${counted(connections, 'connection')}`,
    ...(refused > 0 ? [`${refused} refused`] : []),
    `${time(first.at)} ${event(first.seq)} to ${time(last.at)} ${event(last.seq)}`,
    ...(scopes.length === 0 ? [] : [`with ${scopes.join(', ')}`]),
    ...(told.length === 0 ? [] : [`told token ${told.join(', ')}`]),
  ].join(', ');

const WHY = {
  asked: 'let in: it asked with the credential',
  approved: 'let in',
  widened: 'was in before, and got more',
};

const approver = ({ kind, rule, device, name, method, osUser }: Person): string => {
  if (kind === 'gateway') return `rule ${rule}`;
  if (kind === 'host' || method === 'host-proof')
    return `the owner of the host${osUser === undefined ? '' : ` (${plain(osUser)})`}`;
  return named(device, name);
};

const branchLines = (branch: Branch, indent: string): readonly string[] => [
  `${indent}- ${named(branch.device, branch.name)} ${WHY[branch.because]}, approved by ${approver(branch.by)} ${event(branch.approved.seq)}: ${list(branch.roles)} with ${list(branch.scopes, 'no scopes')}${branch.paired ? '' : '; out again'}`,
  ...branch.tokens.map((token) => `${indent}  - ${tokenText(token)}`),
];

const tokenText = ({ credential, role, scopes, how, seq, alive, endedBy }: Token): string =>
  `token ${credential} as ${role} with ${list(scopes, 'no scopes')}, ${how} ${event(seq)}${alive ? ', alive' : endedBy === undefined ? '' : `, ended by ${event(endedBy)}`}`;
