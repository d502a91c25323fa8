import type { Step } from '../decisions/contain.js';
import type { Act, BlastRadius, Branch, Token, Use } from './blast-radius.js';
import type { Incident } from './incident.js';

/* The report of an incident, in Markdown: for people who were not there. Every statement ends with the number of its event. */

const time = (at: number): string => `${new Date(at).toISOString().replace('T', ' ').slice(0, 19)}Z`;
const at = ({ seq }: { readonly seq: number }): string => `[event ${seq}]`;
/** What devices say of themselves is text, not layout. */
const plain = (text: string): string => text.replace(/[\\`*_[\]<>|#]/g, '\\$&');
const named = (device: string | undefined, name: string | undefined): string =>
  device === undefined ? 'no device' : `${name === undefined ? 'device' : `"${plain(name)}"`} \`${device}\``;
const many = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

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
    ...tree(radius.uses, radius.acts, 0),
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
  `It is ${KINDS[kind]}${holder === undefined ? '' : ` of ${named(holder.device, holder.name)} as ${holder.role}`}${issued === undefined ? '' : `, ${kind === 'device' ? 'approved' : 'in force since'} [event ${issued}]`}${endedBy === undefined ? '' : `, ended by [event ${endedBy}]`}.`,
  '',
  `- Looked at: events ${stretch.after + 1} to ${stretch.upTo}`,
  `- ${many(counts.connections, 'connection')} let in, ${counts.refused} refused; open when this was asked: ${counts.open} by it, ${counts.openBelow} of what it let in`,
  ...(first === undefined || last === undefined
    ? ['- Never used']
    : [`- First use ${time(first.at)} ${at(first)}, last ${time(last.at)} ${at(last)}`]),
  `- From ${addresses.length === 0 ? 'no address' : addresses.join(', ')}`,
  `- ${many(counts.acts, 'act')}, ${many(counts.devices, 'device')} let in because of it, ${many(counts.tokens, 'token')}`,
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
    case 'revoke-token':
      return `Revoke the ${step.role} token ${step.credential} of device \`${step.device}\` [event ${step.because}]`;
    case 'remove-device':
      return `Remove device \`${step.device}\` [event ${step.because}]`;
    case 'reject-request':
      return `Reject request ${step.requestId} of device \`${step.device}\` [event ${step.because}]`;
  }
};

const DONE: Readonly<Record<string, string>> = {
  'gateway.secret-rotated': 'The shared secret was replaced',
  'device.removed': 'Removed',
  'token.revoked': 'Token revoked',
  'pairing.rejected': 'Request rejected',
};

const measures = ({ by, opened, closed, measures: done }: Incident): readonly string[] => [
  '## What was done',
  '',
  `Opened ${time(opened.at)} ${at(opened)} by ${by.kind === 'host' || by.method === 'host-proof' ? `the owner of the host${by.osUser === undefined ? '' : ` (${plain(by.osUser)})`}` : named(by.device, by.name)}.`,
  '',
  ...done
    .filter(({ type }) => Object.hasOwn(DONE, type))
    .map(
      (measure) =>
        `- ${DONE[measure.type]}${measure.type === 'gateway.secret-rotated' ? '' : `: ${measure.about}`} ${at(measure)}; closed ${many(measure.closed.length, 'session')}${measure.closed.length === 0 ? '' : `: ${measure.closed.map(at).join(' ')}`}`,
    ),
  '',
  closed === undefined
    ? 'It is **not closed**: it was cut short. Run it again.'
    : `Closed ${time(closed.at)} ${at(closed)} after ${many(closed.rounds, 'round')}; ${many(closed.sessions, 'session')} closed. Nothing that derives from the credential was left.`,
];

const tree = (uses: readonly Use[], acts: readonly Act[], depth: number): readonly string[] => {
  const indent = '  '.repeat(depth);
  return [
    ...uses.map((use) => `${indent}- ${useText(use)}`),
    ...acts.flatMap((act) => [
      `${indent}- ${time(act.at)} ${act.type} ${act.requestId ?? act.about} ${at(act)}`,
      ...(act.device === undefined ? [] : branch(act.device, depth + 1)),
    ]),
    ...(uses.length === 0 && acts.length === 0 ? [`${indent}- nothing`] : []),
  ];
};

const useText = ({ device, name, address, connections, refused, open, first, last, scopes }: Use): string =>
  `${named(device, name)} from ${address ?? 'this host'}: ${many(connections, 'connection')}${refused > 0 ? `, ${refused} refused` : ''}${open > 0 ? `, ${open} open` : ''}, ${time(first.at)} ${at(first)} to ${time(last.at)} ${at(last)}${scopes.length === 0 ? '' : `, with ${scopes.join(', ')}`}`;

const WHY = {
  asked: 'let in: it asked with the credential',
  approved: 'let in',
  widened: 'was in before, and got more',
};

const branch = (device: Branch, depth: number): readonly string[] => {
  const indent = '  '.repeat(depth);
  return [
    `${indent}- ${named(device.device, device.name)} ${WHY[device.because]} ${at(device.approved)}: ${device.roles.join(', ')} with ${device.scopes.join(', ') || 'no scopes'}${device.paired ? '' : '; out again'}`,
    ...device.tokens.map((token) => `${indent}  - ${tokenText(token)}`),
    ...(device.uses.length === 0 && device.acts.length === 0 ? [] : tree(device.uses, device.acts, depth + 1)),
  ];
};

const tokenText = ({ credential, role, scopes, how, seq, alive, endedBy }: Token): string =>
  `token ${credential} as ${role} with ${scopes.join(', ') || 'no scopes'}, ${how} [event ${seq}]${alive ? ', alive' : endedBy === undefined ? '' : `, ended by [event ${endedBy}]`}`;
