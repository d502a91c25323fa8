import { type DataOf, type Event, isErased } from '../../events/index.js';
import { short } from '../forensics/words.js';

/* An event in one line, for people. What is exact is in --json. */

const time = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);

export const lineOf = (event: Event): string =>
  `${String(event.seq).padStart(6)}  ${time(event.at)}  ${event.type.padEnd(24)}  ${what(event)}${because(event)}`;

const because = ({ cause }: Event): string => (cause === undefined ? '' : `  (because of ${cause})`);

/** Where somebody would be named who was erased. */
const gone = (event: Event): string => (isErased(event) ? ' (erased)' : '');

const who = (event: Event): string => {
  const { actor, origin } = event;
  switch (actor.kind) {
    case 'gateway':
      return `rule ${actor.rule}`;
    case 'host':
      return `the owner of this host${origin?.osUser === undefined ? gone(event) : ` (${origin.osUser})`}`;
    case 'connection':
      return actor.device === undefined ? `connection ${short(actor.connection)}` : `device ${short(actor.device)}`;
  }
};

/** `operator (admin read)`: the prefix that they share is the role. */
const asRole = (role: string, scopes: readonly string[]): string =>
  `${role} (${scopes.map((scope) => (scope.startsWith(`${role}.`) ? scope.slice(role.length + 1) : scope)).join(' ') || 'no scopes'})`;
const named = (event: Event): string =>
  event.origin?.displayName === undefined ? '' : ` "${event.origin.displayName}"`;
const from = (event: Event): string =>
  event.origin?.address === undefined ? gone(event) : ` from ${event.origin.address}`;

const what = (event: Event): string => {
  switch (event.type) {
    case 'gateway.started':
      return `version ${event.data.version}, pid ${event.data.pid}, on ${event.data.listening.join(' ')}`;
    case 'gateway.stopped':
      return `${event.data.reason} after ${Math.round(event.data.uptimeMs / 1000)}s`;
    case 'gateway.worker-lost':
      return `worker ${event.data.worker} ${event.data.how}; ${event.data.connections} connections are lost`;
    case 'gateway.secret-rotated':
      return `secret ${event.data.to} from ${event.data.source}${event.data.from === undefined ? '' : `, instead of ${event.data.from}`}`;
    case 'gateway.secret-barred':
      return `secret ${event.data.credential} is never accepted again, by ${who(event)}`;
    case 'gateway.clock-jumped':
      return `by ${event.data.byMs}ms`;
    case 'pairing.requested':
      return `${event.data.requestId}: device ${short(event.data.device)}${named(event)}${from(event)} asks to be ${asRole(event.data.role, event.data.scopes)}: ${event.data.need}`;
    case 'pairing.superseded':
      return `${event.data.requestId} by ${event.data.by}`;
    case 'pairing.approved':
      return `${event.data.requestId}: device ${short(event.data.device)}${named(event)}${gone(event)} is now ${asRole(event.data.role, event.data.scopes)}; by ${who(event)}, rule ${event.data.rule}`;
    case 'pairing.refreshed':
    case 'pairing.rejected':
    case 'pairing.expired':
      return `${event.data.requestId}: device ${short(event.data.device)}, by ${who(event)}`;
    case 'device.removed':
    case 'device.renamed':
    case 'device.metadata-changed':
      return `device ${short(event.data.device)}, by ${who(event)}`;
    case 'token.issued':
    case 'token.rotated':
    case 'token.retired':
    case 'token.revoked':
      return `${event.data.credential} for device ${short(event.data.device)} as ${event.data.role}, by ${who(event)}`;
    case 'connection.accepted':
      return `${short(event.data.connection)}${event.data.device === undefined ? '' : ` device ${short(event.data.device)}`}${named(event)}${from(event)} as ${asRole(event.data.role, event.data.scopes)}, by ${event.data.method}`;
    case 'connection.refused':
      return `${short(event.data.connection)}${from(event)}: ${event.data.reason} (${event.data.close.code}${event.data.clientClose === undefined ? '' : `, client closed ${event.data.clientClose.code}`})`;
    case 'connection.closed':
      return `${short(event.data.connection)} ${event.data.code}${event.data.reason === '' ? '' : ` ${event.data.reason}`} after ${event.data.durationMs}ms`;
    case 'connection.refusals-summarised':
      return `${event.data.total} more: ${Object.entries(event.data.reasons)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(', ')}`;
    case 'source.locked':
      return `${event.data.source}${from(event)} after ${event.data.failures} wrong ${event.data.scope}, until ${time(event.data.until)}`;
    case 'node.invoked':
      return `${short(event.data.invocation)}: device ${short(event.data.device)} is told ${event.data.command}, by ${who(event)}`;
    case 'node.invoke-finished':
      return `${short(event.data.invocation)}: ${event.data.outcome}${event.data.code === undefined ? '' : ` (${event.data.code})`}${event.data.durationMs === undefined ? '' : ` after ${event.data.durationMs}ms`}`;
    case 'node.reported':
      return `device ${short(event.data.device)} says ${event.data.event}`;
    case 'node.reports-summarised':
      return `device ${short(event.data.device)} says ${event.data.total} more`;
    case 'exec.approval-requested':
      return `${short(event.data.approval)}: may a command be run${event.data.device === undefined ? '' : ` on device ${short(event.data.device)}`}? asked by ${who(event)}`;
    case 'exec.approval-decided':
      return `${short(event.data.approval)}: ${event.data.decision}, by ${who(event)}`;
    case 'exec.approval-expired':
      return `${short(event.data.approval)}: ${event.data.why}`;
    case 'exec.approval-used':
      return `${short(event.data.approval)}: run on device ${short(event.data.device)}`;
    case 'canvas.capability-minted':
      return `${viewer(event.data)} may look at the canvas until ${time(event.data.expiresAt)}, by ${who(event)}`;
    case 'canvas.capability-used':
      return `${viewer(event.data)} looks at the canvas, and may until ${time(event.data.expiresAt)}`;
    case 'health.ticked':
      return `up ${Math.round(event.data.uptimeMs / 1000)}s, ${event.data.connections} connected, ${event.data.pending} pending, ${event.data.paired} paired, loop late by ${event.data.loopDelayMs} ms at most`;
    case 'health.mended':
      return `${event.data.component} begun again (${event.data.attempt} in an hour): ${event.data.outcome}`;
    case 'health.changed':
      return `${event.data.component}: ${event.data.from} to ${event.data.to}`;
    case 'gateway.incident-opened':
      return `${event.data.incident}: ${event.data.credential === undefined ? `device ${short(event.data.device ?? '')} lost` : `credential ${event.data.credential} leaked`}; ${planned(event.data)}, by ${who(event)}`;
    case 'gateway.incident-closed':
      return `${event.data.incident}: ${planned(event.data)}, ${event.data.sessions} sessions closed`;
    case 'log.read':
      return `${who(event)} asked ${event.data.question}${about(event.data)}, answered up to ${event.data.upTo}`;
    case 'log.archived':
      return `${event.data.events} events from ${event.data.from} to ${event.data.to} in ${event.data.segment}`;
    case 'log.restored':
      return `gone on with a log of ${event.data.size} events where ${event.data.mark.size} had been signed for (${event.data.kind}), by ${who(event)}: ${event.data.reason}`;
    case 'log.held':
      return `nothing is archived from now on, by ${who(event)}${event.data.reason === undefined ? '' : `: ${event.data.reason}`}`;
    case 'log.released':
      return `archiving goes on, by ${who(event)}`;
    case 'log.erased':
      return `personal data of ${event.data.events} events, ${erasedOf(event.data)}, by ${who(event)}: ${event.data.reason}`;
  }
};

const planned = (plan: { readonly secret: boolean; readonly tokens: number; readonly devices: number }): string =>
  `${plan.secret ? 'the secret, ' : ''}${plan.tokens} tokens, ${plan.devices} devices`;

const erasedOf = ({ of, device, connection, request }: DataOf<'log.erased'>): string =>
  of === 'address' ? 'from one address' : `of ${of} ${short(request ?? connection ?? device ?? '')}`;

const about = ({ device, request, connection, credential, address }: DataOf<'log.read'>): string => {
  const named = device ?? request ?? connection ?? credential ?? (address ? 'an address' : undefined);
  return named === undefined ? '' : ` about ${named}`;
};

const viewer = ({ capability, device }: DataOf<'canvas.capability-used'>): string =>
  device === undefined ? `who has link ${short(capability)}` : `device ${short(device)}`;
