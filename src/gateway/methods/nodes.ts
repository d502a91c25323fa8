import * as E from 'fp-ts/lib/Either.js';
import type { Origin } from '../../../events/index.js';
import { askerOf, holderOf, type PairedDevice, type PendingRequest } from '../../../projections/index.js';
import { isLoopback } from '../../addresses.js';
import { anyText, anything, closed, flag, integer, orNull, type TypeOf, text } from '../../codec.js';
import { waits } from '../../decisions/device.js';
import { allowedOf } from '../../decisions/node-commands.js';
import { mayManage } from '../../decisions/principal.js';
import { type Refusal, refusal } from '../../errors.js';
import { limits } from '../../limits.js';
import { asApproved, runIn } from '../../protocol/system-run.js';
import { plain } from '../../text.js';
import type { Outcome } from '../invocations.js';
import type { Parts } from '../parts.js';
import { approveRequest, rejectRequest, renameDevice } from './devices.js';
import { answer, type Call, type Family, later, method, type Reply, refuse } from './method.js';

/*
 * Nodes are devices with the role node (protocol.md §8.7): these are the same records and the same decisions, seen from that side. What a
 * node says it can do is only known while it is connected.
 */

const none = closed({}, {});
const requestId = closed({ requestId: text() }, {});

const isNode = ({ roles }: { readonly roles: readonly string[] }): boolean => roles.includes('node');

const metadata = (row: PairedDevice | PendingRequest, { label, displayName, address }: Origin) => ({
  displayName: label ?? displayName,
  platform: row.client.platform,
  deviceFamily: row.client.deviceFamily,
  modelIdentifier: row.client.modelIdentifier,
  remoteIp: address === undefined || isLoopback(address) ? undefined : address,
});

const entryOf = (row: PairedDevice, { sessions, ledger, settings }: Parts) => {
  const session = sessions.nodeOf(row.device);
  const said = session?.node;
  return {
    nodeId: row.device,
    ...metadata(row, holderOf(row, ledger.originOf)),
    version: said?.version,
    modelIdentifier: said?.modelIdentifier ?? row.client.modelIdentifier,
    caps: [...(said?.caps ?? [])].sort(),
    commands: [...allowedOf(said?.commands ?? [], row.client, settings.nodes)].sort(),
    pathEnv: said?.pathEnv,
    permissions: said?.permissions,
    connectedAtMs: session?.since,
    paired: true,
    connected: session !== undefined,
  };
};

const pairedNodes = ({ ledger }: Parts): readonly PairedDevice[] =>
  [...ledger.views.paired.entries()].map(([, row]) => row).filter(isNode);

const nodeError = closed({}, { code: anyText(limits.claims.textChars), message: anyText(limits.nodes.messageChars) });
/** `error` and `payloadJSON` may be null, which says nothing. */
const result = closed(
  { id: text(limits.claims.textChars), nodeId: text(), ok: flag },
  { payload: anything, payloadJSON: orNull(anyText()), error: orNull(nodeError) },
);

const answered = ({ ok, payload, payloadJSON, error }: TypeOf<typeof result>) => ({
  ok,
  payload,
  payloadJSON: payloadJSON ?? undefined,
  error: error ?? undefined,
});

/** A node speaks for itself only. */
const ofItself = (nodeId: string, { session }: Call, reply: () => Reply): Reply =>
  nodeId === session.device ? reply() : refuse(refusal('node-mismatch'));

type Asks = E.Either<
  Refusal,
  { readonly params: unknown; readonly use?: { readonly approval: string; readonly plan: string } }
>;

/** Only what a caller may say goes on to the node; that it was approved is for the log to say. */
const runOf = (params: unknown, { approvals, ledger }: Parts): Asks => {
  const run = runIn(params);
  if (run === undefined) return E.right({ params });
  if (!run.claimsApproval) return E.right({ params: run.params });
  const { runId } = run;
  if (runId === undefined)
    return E.left(refusal('approval-mismatch', 'approval override requires params.runId', { code: 'MISSING_RUN_ID' }));
  const request = approvals.get(runId)?.request;
  const plan = request?.systemRunPlan ?? undefined;
  if (request === undefined || plan === undefined)
    return E.left(
      refusal('approval-mismatch', 'unknown or expired approval id', { code: 'UNKNOWN_APPROVAL_ID', runId }),
    );
  const decision = ledger.views.approvals.get(runId)?.allowed?.once === false ? 'allow-always' : 'allow-once';
  return E.right({
    params: asApproved(run, plan, decision),
    use: { approval: runId, plan: approvals.planWith(request, run.params['env']) },
  });
};

const replyOf = (nodeId: string, command: string, outcome: Outcome): Reply => {
  if (outcome.how === 'done') {
    const { payload, payloadJSON } = outcome;
    return answer({ ok: true, nodeId, command, payload, payloadJSON });
  }
  const { code, message } = outcome;
  return refuse(refusal('node-failed', `${code}: ${message}`, { nodeError: { code, message } }));
};

export const nodes: Family = {
  'node.list': method(none, (_, { parts }) => {
    const entries = pairedNodes(parts).map((row) => entryOf(row, parts));
    const name = (entry: (typeof entries)[number]): string => entry.displayName ?? entry.nodeId;
    entries.sort((a, b) => Number(b.connected) - Number(a.connected) || name(a).localeCompare(name(b)));
    return answer({ ts: parts.clock.now(), nodes: entries });
  }),

  'node.describe': method(closed({ nodeId: text() }, {}), ({ nodeId }, { parts }) => {
    const row = parts.ledger.views.paired.get(nodeId);
    return row !== undefined && isNode(row)
      ? answer({ ts: parts.clock.now(), ...entryOf(row, parts) })
      : refuse(refusal('unknown-node'));
  }),

  'node.rename': method(closed({ nodeId: text(), displayName: text() }, {}), ({ nodeId, displayName }, call) => {
    const row = call.parts.ledger.views.paired.get(nodeId);
    if (row === undefined || !isNode(row)) return refuse(refusal('unknown-node'));
    return renameDevice(nodeId, displayName, call, (label) => ({ nodeId, displayName: label }));
  }),

  'node.invoke': method(
    closed(
      { nodeId: text(), command: text(limits.claims.textChars), idempotencyKey: text(limits.claims.textChars) },
      {
        params: anything,
        timeoutMs: integer(0, limits.nodes.longestInvokeMs),
        sessionKey: anything,
        turnSourceChannel: anything,
        turnSourceTo: anything,
        turnSourceAccountId: anything,
        turnSourceThreadId: anything,
      },
    ),
    ({ nodeId, command, params, timeoutMs, idempotencyKey }, { by, parts }) => {
      /* With the gateway down no node is here. */
      if (by.kind !== 'connection') return refuse(refusal('node-not-connected'));
      const wanted = command.trim();
      const run: Asks = wanted === 'system.run' ? runOf(params, parts) : E.right({ params });
      if (E.isLeft(run)) return refuse(run.left);
      const asked = {
        device: nodeId,
        command: wanted,
        params: run.right.params === undefined ? undefined : JSON.stringify(run.right.params),
        use: run.right.use,
        timeoutMs: timeoutMs === undefined || timeoutMs === 0 ? limits.nodes.invokeMs : timeoutMs,
        key: idempotencyKey,
        by,
      };
      return later(
        parts.invocations
          .ask(asked)
          .then((told) => (E.isLeft(told) ? refuse(told.left) : replyOf(nodeId, asked.command, told.right))),
      );
    },
  ),

  'node.invoke.cancel': method(
    closed({ nodeId: text(), idempotencyKey: text(limits.claims.textChars) }, {}),
    ({ nodeId, idempotencyKey: key }, { by, parts }) => {
      const cancelled = by.kind === 'connection' && parts.invocations.cancel({ device: nodeId, key, by });
      return answer({ ok: true, cancelled });
    },
  ),

  'node.invoke.result': method(result, (said, call) =>
    ofItself(said.nodeId, call, () =>
      call.parts.invocations.answered(said.id, answered(said), call.session)
        ? answer({ ok: true })
        : answer({ ok: true, ignored: true }),
    ),
  ),

  'node.event': method(
    closed({ event: text(limits.claims.textChars) }, { payload: anything, payloadJSON: orNull(anyText()) }),
    ({ event, payload, payloadJSON }, { by, session, parts }) => {
      const said = payloadJSON ?? (payload === undefined ? undefined : JSON.stringify(payload));
      const name = plain(event, limits.claims.labelChars) ?? '';
      parts.nodeReports.take({ device: session.device ?? '', event: name, payload: said, by });
      return answer(session.dialect === 4 ? { ok: true, event, handled: false, reason: 'recorded' } : { ok: true });
    },
  ),

  'node.pair.list': method(none, (_, { parts, by }) => {
    const { views, originOf } = parts.ledger;
    const now = parts.clock.now();
    const pending = [...views.pending.entries()]
      .map(([, row]) => row)
      .filter((row) => isNode(row) && mayManage(by, row.device) && waits(row, views, { now }));
    return answer({
      pending: pending
        .sort((a, b) => b.seq - a.seq)
        .map((row) => ({
          requestId: row.requestId,
          nodeId: row.device,
          ...metadata(row, askerOf(row, originOf)),
          isRepair: row.repair,
          ts: row.askedAt,
        })),
      paired: pairedNodes(parts)
        .filter((row) => mayManage(by, row.device))
        .map((row) => ({
          nodeId: row.device,
          ...metadata(row, holderOf(row, originOf)),
          createdAtMs: row.createdAt,
          approvedAtMs: row.approvedAt,
        })),
    });
  }),

  'node.pair.approve': method(requestId, (params, call) =>
    approveRequest(params.requestId, call, (device, views, originOf) => {
      const row = views.paired.get(device);
      return {
        requestId: params.requestId,
        node: row && {
          nodeId: device,
          ...metadata(row, holderOf(row, originOf)),
          createdAtMs: row.createdAt,
          approvedAtMs: row.approvedAt,
        },
      };
    }),
  ),

  'node.pair.reject': method(requestId, (params, call) =>
    rejectRequest(params.requestId, call, (nodeId) => ({ requestId: params.requestId, nodeId })),
  ),
};
