import { anyText, anything, closed, flag, integer, mapOf } from '../../codec.js';
import { configForClients } from '../../config/shown.js';
import { ADMIN } from '../../decisions/scopes.js';
import { limits } from '../../limits.js';
import { may } from '../session.js';
import { answer, type Family, read } from './method.js';

/*
 * What clients ask before they show anything (protocol.md §8.10). There are no agents, models, channels or schedules here, so the
 * answers are empty, in the shapes that clients read.
 */

const none = closed({}, {});
const open = mapOf(anything);
const id = anyText(limits.claims.textChars);

const PAGE = { total: 0, offset: 0, limit: 50, hasMore: false, nextOffset: null };

export const stubs: Family = {
  'config.get': read(none, (_, { session, parts }) => answer(configForClients(parts.settings, may(session, ADMIN)))),

  'config.schema': read(none, (_, { parts }) =>
    answer({
      schema: { type: 'object' },
      uiHints: {},
      version: '1',
      generatedAt: new Date(parts.clock.now()).toISOString(),
    }),
  ),

  'channels.status': read(closed({}, { probe: flag, timeoutMs: integer(0) }), (_, { parts }) =>
    answer({
      ts: parts.clock.now(),
      channelOrder: [],
      channelLabels: {},
      channelDetailLabels: {},
      channelSystemImages: {},
      channelMeta: [],
      channels: {},
      channelAccounts: {},
      channelDefaultAccountId: {},
    }),
  ),

  'agents.list': read(none, () =>
    answer({ defaultId: 'main', mainKey: 'main', scope: 'per-sender', agents: [{ id: 'main' }] }),
  ),

  'agent.identity.get': read(closed({}, { agentId: id, sessionKey: id }), ({ agentId }) =>
    answer({ agentId: agentId ?? 'main', name: 'clawledger', avatar: 'C' }),
  ),

  'models.list': read(open, () => answer({ models: [] })),

  'tools.catalog': read(closed({}, { agentId: id, includePlugins: flag }), ({ agentId }) =>
    answer({ agentId: agentId ?? 'main', profiles: [], groups: [] }),
  ),

  'sessions.list': read(open, (_, { parts }) =>
    answer({
      ts: parts.clock.now(),
      path: '(multiple)',
      count: 0,
      defaults: { modelProvider: null, model: null, contextTokens: null },
      sessions: [],
    }),
  ),

  'sessions.usage': read(open, (_, { parts }) =>
    answer({ updatedAt: parts.clock.now(), startDate: '', endDate: '', sessions: [], totals: {}, aggregates: {} }),
  ),

  'sessions.subscribe': read(open, () => answer({ subscribed: true })),

  'cron.status': read(none, () => answer({ enabled: false, storePath: '', jobs: 0, nextWakeAtMs: null })),
  'cron.list': read(open, () => answer({ jobs: [], ...PAGE })),
  'cron.runs': read(open, () => answer({ entries: [], ...PAGE })),

  'skills.status': read(open, () => answer({ workspaceDir: '', managedSkillsDir: '', skills: [] })),

  'usage.cost': read(open, (_, { parts }) => answer({ updatedAt: parts.clock.now(), days: 0, daily: [], totals: {} })),

  'voicewake.get': read(none, () => answer({ triggers: [] })),
  'talk.config': read(open, () => answer({ config: {} })),
  'tts.status': read(none, () => answer({ enabled: false, auto: 'off', provider: null, providerOrder: [] })),
};
