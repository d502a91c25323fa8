import { anyText, anything, closed, flag, integer, listOf, oneOf, text } from '../../codec.js';
import { limits } from '../../limits.js';
import { Encoded } from '../../protocol/frames.js';
import { plain } from '../../text.js';
import { claimIn } from '../presence.js';
import { answer, type Family, method, read } from './method.js';
import { tail } from './tail.js';

/* The gateway about itself, and who is here (protocol.md §8.6). Nobody runs agents here, so nobody is woken. */

const none = closed({}, {});
const said = anyText(limits.claims.textChars);
const saidList = listOf(said, limits.claims.caps);

/** What an app says of itself, without what would disturb a terminal. */
const cleaned = <T extends object>(claim: T): T =>
  Object.fromEntries(
    Object.entries(claim).map(([key, value]) => [
      key,
      typeof value === 'string' ? plain(value, limits.claims.textChars) : value,
    ]),
  ) as T;

const staleAfter = (probe = false): number => (probe ? limits.wire.probeMs : limits.wire.healthMs);

export const system: Family = {
  health: {
    params: closed({}, { probe: flag }),
    run: ({ probe }: { readonly probe?: boolean }, { parts }) => {
      if (parts.health.age >= staleAfter(probe)) parts.announcer.refreshHealth();
      return answer(parts.health.result);
    },
    /** A new look is taken where the log is. */
    read: ({ probe }: { readonly probe?: boolean }, { parts: { snapshot } }) =>
      snapshot.healthAge() < staleAfter(probe) ? answer(new Encoded(snapshot.health())) : undefined,
  },

  'health.components': method(none, (_, { parts }) =>
    answer({ components: parts.monitor.components, intervalMs: parts.settings.healthIntervalMs }),
  ),

  status: read(none, () =>
    answer({
      heartbeat: { defaultAgentId: 'main', agents: [{ agentId: 'main', enabled: false, every: '0m', everyMs: null }] },
      channelSummary: [],
      queuedSystemEvents: [],
      sessions: {
        paths: [],
        count: 0,
        defaults: { model: null, contextTokens: null },
        recent: [],
        byAgent: [{ agentId: 'main', path: '(none)', count: 0, recent: [] }],
      },
    }),
  ),

  'system-presence': method(none, (_, { parts }) => answer(parts.presence.list())),

  'system-event': method(
    closed(
      { text: text(limits.claims.textChars) },
      {
        deviceId: said,
        instanceId: said,
        host: said,
        ip: said,
        mode: said,
        version: said,
        platform: said,
        deviceFamily: said,
        modelIdentifier: said,
        lastInputSeconds: integer(0),
        reason: said,
        roles: saidList,
        scopes: saidList,
        tags: saidList,
      },
    ),
    (params, { parts }) => {
      const claim = cleaned(params);
      const parsed = claimIn(claim.text);
      const key = (
        claim.deviceId ??
        claim.instanceId ??
        parsed.host ??
        claim.text.slice(0, limits.claims.labelChars)
      ).toLowerCase();
      parts.presence.touch(key, { ...parsed, ...claim, instanceId: claim.instanceId ?? key });
      parts.announcer.tellPresence('left');
      return answer({ ok: true });
    },
    'text required',
  ),

  'last-heartbeat': read(none, () => answer(null)),

  'set-heartbeats': method(
    closed({ enabled: flag }, {}),
    ({ enabled }) => answer({ ok: true, enabled }),
    'invalid set-heartbeats params: enabled (boolean) required',
  ),

  'talk.mode': method(closed({ enabled: flag }, { phase: said }), ({ enabled, phase }, { parts }) =>
    answer(parts.announcer.talkMode(enabled, plain(phase, limits.claims.textChars))),
  ),

  wake: method(
    closed(
      { mode: oneOf(['now', 'next-heartbeat']), text: text(limits.claims.textChars) },
      { sessionKey: anything, agentId: anything },
    ),
    () => answer({ ok: true }),
  ),

  'logs.tail': method(
    closed(
      {},
      { cursor: integer(0), limit: integer(1, limits.log.tailLines), maxBytes: integer(1, limits.log.tailBytes) },
    ),
    (wanted, { parts }) => answer(tail(parts.log.file?.path, wanted)),
  ),
};
