import { ADMIN, APPROVALS, AUDIT, PAIRING, READ, WRITE } from '../../decisions/scopes.js';
import { questions } from '../../forensics/questions.js';

/*
 * Which scope a method needs (protocol.md §8.2), also those that are not served: a caller without the scope learns nothing about
 * what exists. A method in no list needs admin.
 */

const BY_SCOPE = {
  [AUDIT]: [...Object.keys(questions).map((name) => `audit.${name}`), 'audit.checkpoint', 'audit.prove'],
  [PAIRING]: [
    'device.pair.list',
    'device.pair.approve',
    'device.pair.reject',
    'device.pair.remove',
    'device.pair.rename',
    'device.token.rotate',
    'device.token.revoke',
    'node.pair.request',
    'node.pair.list',
    'node.pair.approve',
    'node.pair.reject',
    'node.pair.remove',
    'node.pair.verify',
    'node.rename',
  ],
  [READ]: [
    'status',
    'health.components',
    'logs.tail',
    'channels.status',
    'system-presence',
    'last-heartbeat',
    'node.list',
    'node.describe',
    'canvas.link',
    'config.get',
    'models.list',
    'tools.catalog',
    'agents.list',
    'agent.identity.get',
    'agents.files.list',
    'agents.files.get',
    'sessions.list',
    'sessions.preview',
    'sessions.resolve',
    'sessions.subscribe',
    'sessions.usage',
    'chat.history',
    'cron.list',
    'cron.status',
    'cron.runs',
    'skills.status',
    'voicewake.get',
    'talk.config',
    'tts.status',
    'tts.providers',
    'usage.status',
    'usage.cost',
    'doctor.memory.status',
  ],
  [WRITE]: [
    'wake',
    'node.invoke',
    'node.invoke.cancel',
    'browser.request',
    'chat.send',
    'chat.abort',
    'agent',
    'agent.wait',
    'send',
    'poll',
    'talk.mode',
    'tts.enable',
    'tts.disable',
    'tts.convert',
    'tts.setProvider',
    'voicewake.set',
    'push.test',
  ],
  [APPROVALS]: [
    'exec.approval.request',
    'exec.approval.waitDecision',
    'exec.approval.resolve',
    'exec.approval.get',
    'exec.approval.list',
  ],
} as const;

const SCOPE_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(BY_SCOPE).flatMap(([scope, methods]) => methods.map((name) => [name, scope] as const)),
);

/** Open to every role, without a scope. */
const OPEN: ReadonlySet<string> = new Set(['health']);

/** What nodes call, and operators may not (protocol.md §8.1). */
const OF_NODES: ReadonlySet<string> = new Set([
  'node.invoke.result',
  'node.invoke.progress',
  'node.event',
  'node.canvas.capability.refresh',
  'node.pluginSurface.refresh',
  'node.pluginTools.update',
  'node.skills.update',
  'node.runnerInventory.update',
  'node.pending.drain',
  'node.pending.pull',
  'node.pending.ack',
  'skills.bins',
]);

export const isOfRole = (name: string, role: string): boolean =>
  OPEN.has(name) || OF_NODES.has(name) === (role === 'node');

/** The scope an operator needs for it; undefined if none. */
export const scopeOf = (name: string): string | undefined =>
  OPEN.has(name) || OF_NODES.has(name) ? undefined : (SCOPE_OF.get(name) ?? ADMIN);
