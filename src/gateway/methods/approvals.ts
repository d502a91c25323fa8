import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { attempt } from '../../attempt.js';
import { anyText, anything, closed, flag, integer, listOf, orNull, type TypeOf, text, textThat } from '../../codec.js';
import { refusal } from '../../errors.js';
import { limits } from '../../limits.js';
import { bindingOf, planIn } from '../../protocol/system-run.js';
import type { RunRequest } from '../approvals.js';
import { answer, type Family, later, method, refuse } from './method.js';

/* Whether a command may be run: asked by whoever would run it, decided by people (protocol.md §8.9). */

const said = orNull(anyText(limits.exec.textChars));
/** In the log, and on the terminals of those who decide. */
const approvalId = textThat(
  (id) => id.length <= limits.claims.displayNameChars && /^[\x21-\x7e]+$/.test(id),
  'must be visible ASCII without spaces',
);

const request = closed(
  { command: anyText(limits.exec.textChars) },
  {
    id: approvalId,
    commandArgv: listOf(anyText(limits.exec.textChars), limits.exec.words),
    systemRunPlan: anything,
    env: anything,
    cwd: said,
    nodeId: said,
    host: said,
    security: said,
    ask: said,
    agentId: said,
    resolvedPath: said,
    sessionKey: said,
    turnSourceChannel: said,
    turnSourceTo: said,
    turnSourceAccountId: said,
    turnSourceThreadId: anything,
    timeoutMs: integer(1, limits.exec.longestMs),
    twoPhase: flag,
  },
);
type Asked = TypeOf<typeof request>;

const own = (value: string | null | undefined): string | null =>
  value === undefined || value === null || value.trim() === '' ? null : value.trim();

/** What those who decide are shown; undefined with the words for what is missing. */
const requestIn = (asked: Asked): E.Either<string, RunRequest> => {
  const host = own(asked.host);
  const plan = host === 'node' ? planIn(asked.systemRunPlan) : undefined;
  const nodeId = own(asked.nodeId);
  if (host === 'node' && nodeId === null) return E.left('nodeId is required for host=node');
  if (host === 'node' && plan === undefined) return E.left('systemRunPlan is required for host=node');
  return E.right({
    command: plan === undefined ? asked.command : (plan.rawCommand ?? plan.argv.join(' ')),
    systemRunBinding: plan === undefined ? null : bindingOf(plan, asked.env),
    systemRunPlan: plan ?? null,
    cwd: plan?.cwd ?? own(asked.cwd),
    nodeId: host === 'node' ? nodeId : null,
    host,
    security: own(asked.security),
    ask: own(asked.ask),
    agentId: plan?.agentId ?? own(asked.agentId),
    resolvedPath: own(asked.resolvedPath),
    sessionKey: plan?.sessionKey ?? own(asked.sessionKey),
    turnSourceChannel: own(asked.turnSourceChannel),
    turnSourceTo: own(asked.turnSourceTo),
    turnSourceAccountId: own(asked.turnSourceAccountId),
    turnSourceThreadId: asked.turnSourceThreadId ?? null,
  });
};

const decisionIn = (decision: string) =>
  decision === 'allow-once' || decision === 'allow-always' || decision === 'deny' ? decision : undefined;

export const approvals: Family = {
  'exec.approval.request': method(request, (asked, { by, parts }) => {
    const shown = requestIn(asked);
    if (E.isLeft(shown)) return refuse(refusal('bad-run', shown.left));
    const { id = parts.entropy.uuid(), timeoutMs = limits.exec.waitMs, twoPhase } = asked;
    return later(
      parts.approvals.ask({ id, request: shown.right, timeoutMs, by }).then((outcome) => {
        if (E.isLeft(outcome)) return refuse(outcome.left);
        const { told, createdAtMs, expiresAtMs } = outcome.right;
        const decided = told.then(answer);
        const accepted = { status: 'accepted', id, createdAtMs, expiresAtMs };
        return twoPhase === true ? { accepted, later: decided } : later(decided);
      }),
    );
  }),

  'exec.approval.waitDecision': method(closed({ id: approvalId }, {}), ({ id }, { parts }) => {
    const told = parts.approvals.told(id);
    return told === undefined ? refuse(refusal('approval-gone')) : later(told.then(answer));
  }),

  'exec.approval.resolve': method(
    closed({ id: text(limits.claims.textChars), decision: text(limits.claims.textChars) }, {}),
    ({ id, decision: word }, { by, parts }) => {
      const decision = decisionIn(word);
      if (decision === undefined) return refuse(refusal('bad-decision'));
      return later(
        parts.approvals
          .decide(id, decision, by)
          .then((outcome) => (E.isLeft(outcome) ? refuse(outcome.left) : answer({ ok: true }))),
      );
    },
  ),

  'exec.approval.get': method(closed({ id: approvalId }, {}), ({ id }, { parts }) => {
    const shown = parts.approvals.get(id);
    if (shown === undefined) return refuse(refusal('unknown-approval'));
    return answer({ id, request: shown.request, createdAtMs: shown.createdAtMs, expiresAtMs: shown.expiresAtMs });
  }),

  'exec.approval.list': method(closed({}, {}), (_, { parts }) =>
    answer(
      parts.approvals
        .waiting()
        .map(({ id, request, createdAtMs, expiresAtMs }) => ({ id, request, createdAtMs, expiresAtMs })),
    ),
  ),

  /** Of the host's own programs; there are none here that ask, and the file is the one of the original. */
  'exec.approvals.get': method(closed({}, {}), (_, { parts }) => {
    const path = join(parts.settings.paths.state, 'exec-approvals.json');
    const text = attempt(() => readFileSync(path, 'utf8'));
    const file = text === undefined ? undefined : attempt(() => JSON.parse(text) as Readonly<Record<string, unknown>>);
    const { defaults = {}, agents = {} } = file ?? {};
    return answer({
      path,
      exists: file !== undefined,
      hash: createHash('sha256')
        .update(text ?? '')
        .digest('hex'),
      file: {
        version: 1,
        socket: { path: join(parts.settings.paths.state, 'exec-approvals.sock') },
        defaults,
        agents,
      },
    });
  }),
};
