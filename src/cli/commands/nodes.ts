import { randomUUID } from 'node:crypto';
import { exit } from '../../errors.js';
import { limits } from '../../limits.js';
import { call } from '../call.js';
import { age, Exit, json, say, table } from '../output.js';
import { type ReachOptions, UsageError } from '../reach.js';

/* openclaw nodes …: over a connection if the gateway runs, else, as far as nobody has to be here for it, on its log. */

interface Node {
  readonly nodeId: string;
  readonly displayName?: string;
  readonly platform?: string;
  readonly version?: string;
  readonly remoteIp?: string;
  readonly caps: readonly string[];
  readonly commands: readonly string[];
  readonly connectedAtMs?: number;
  readonly connected: boolean;
}

interface Request {
  readonly requestId: string;
  readonly nodeId: string;
  readonly displayName?: string;
  readonly platform?: string;
  readonly remoteIp?: string;
  readonly isRepair?: boolean;
  readonly ts: number;
}

interface Lists {
  readonly pending: readonly Request[];
  readonly paired: readonly { readonly nodeId: string; readonly displayName?: string; readonly approvedAtMs: number }[];
}

const SHORT = 12;
const nameOf = ({ displayName, nodeId }: { readonly displayName?: string; readonly nodeId: string }): string =>
  displayName ?? `${nodeId.slice(0, SHORT)}…`;

const nodesOf = async (options: ReachOptions): Promise<readonly Node[]> =>
  ((await call('node.list', {}, options)) as { readonly nodes: readonly Node[] }).nodes;

export const status = async (
  options: ReachOptions,
  { connected, json: asJson }: { readonly connected: boolean; readonly json?: boolean },
): Promise<void> => {
  const all = await nodesOf(options);
  const nodes = connected ? all.filter((node) => node.connected) : all;
  if (asJson === true) return json({ nodes });
  const here = all.filter((node) => node.connected).length;
  say(`Known: ${all.length} · Paired: ${all.length} · Connected: ${here}`);
  if (nodes.length === 0) return;
  const now = Date.now();
  await table(
    ['Node', 'ID', 'IP', 'Platform', 'Status', 'Caps'],
    nodes.map((node) => [
      nameOf(node),
      node.nodeId,
      node.remoteIp ?? '',
      [node.platform, node.version].filter(Boolean).join(' '),
      node.connected
        ? `connected${node.connectedAtMs === undefined ? '' : ` ${age(now - node.connectedAtMs)}`}`
        : 'away',
      node.caps.join(', '),
    ]),
  );
};

const requests = async (pending: readonly Request[]): Promise<void> => {
  const now = Date.now();
  await table(
    ['Request', 'Node', 'Platform', 'IP', 'Age', 'Flags'],
    pending.map((request) => [
      request.requestId,
      nameOf(request),
      request.platform ?? '',
      request.remoteIp ?? '',
      age(now - request.ts),
      request.isRepair === true ? 'repair' : '',
    ]),
  );
};

export const list = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const lists = (await call('node.pair.list', {}, options)) as Lists;
  if (asJson) return json(lists);
  say(`Pending: ${lists.pending.length} · Paired: ${lists.paired.length}`);
  if (lists.pending.length > 0) await requests(lists.pending);
  if (lists.paired.length === 0) return;
  await table(
    ['Node', 'ID', 'Approved'],
    lists.paired.map((node) => [nameOf(node), node.nodeId, new Date(node.approvedAtMs).toISOString().slice(0, 19)]),
  );
};

export const pending = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const lists = (await call('node.pair.list', {}, options)) as Lists;
  if (asJson) return json(lists.pending);
  if (lists.pending.length === 0) return say('No pending pairing requests.');
  await requests(lists.pending);
};

export const approve = async (requestId: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const result = (await call('node.pair.approve', { requestId }, options)) as { readonly node: { nodeId: string } };
  if (asJson) json(result);
  else say(`Approved ${result.node.nodeId} (${requestId})`);
};

export const reject = async (requestId: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const result = (await call('node.pair.reject', { requestId }, options)) as { readonly nodeId: string };
  if (asJson) json(result);
  else say(`Rejected ${result.nodeId} (${requestId})`);
};

const LEAST_PREFIX = 6;

/** The one node that is called so. */
const named = async (said: string, options: ReachOptions): Promise<Node> => {
  const wanted = said.trim().toLowerCase();
  const nodes = await nodesOf(options);
  const found = [
    nodes.filter(({ nodeId }) => nodeId === wanted),
    nodes.filter(({ displayName, remoteIp }) => displayName?.toLowerCase() === wanted || remoteIp === wanted),
    nodes.filter(({ nodeId }) => wanted.length >= LEAST_PREFIX && nodeId.startsWith(wanted)),
  ].find((some) => some.length > 0);
  if (found === undefined) {
    const known = nodes.map(nameOf).join(', ') || 'none';
    throw new Exit(exit.refused, [`unknown node: ${said} (known: ${known})`, 'openclaw nodes status shows their ids']);
  }
  const [only, other] = found;
  if (only === undefined || other !== undefined)
    throw new Exit(exit.refused, [
      `more than one node is called ${said}: ${found.map(({ nodeId }) => nodeId).join(', ')}`,
      'say the id of the one that is meant',
    ]);
  return only;
};

export const describe = async (said: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const { nodeId } = await named(said, options);
  const node = (await call('node.describe', { nodeId }, options)) as Node;
  if (asJson) return json(node);
  say(`${nameOf(node)}  ${node.nodeId}`);
  say(`Status    ${node.connected ? 'connected' : 'away'}`);
  for (const [label, value] of [
    ['Platform', node.platform],
    ['Version', node.version],
    ['Address', node.remoteIp],
    ['Caps', node.caps.join(', ')],
  ] as const)
    if (value) say(`${label.padEnd(9)} ${value}`);
  say(node.commands.length === 0 ? 'It may be told nothing.' : 'It may be told:');
  for (const command of node.commands) say(`  ${command}`);
};

export const rename = async (said: string, name: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const { nodeId } = await named(said, options);
  const result = (await call('node.rename', { nodeId, displayName: name }, options)) as { displayName: string };
  if (asJson) json(result);
  else say(`Renamed ${nodeId} to ${result.displayName}`);
};

export interface InvokeOptions {
  readonly node: string;
  readonly command: string;
  readonly params: string;
  readonly invokeTimeout: number | undefined;
  readonly idempotencyKey: string | undefined;
}

/** Beside what the node may take, for the way there and back. */
const GRACE_MS = 5000;

export const invoke = async (
  { node, command, params, invokeTimeout = limits.nodes.invokeMs, idempotencyKey = randomUUID() }: InvokeOptions,
  options: ReachOptions,
  { json: asJson }: { readonly json?: boolean },
): Promise<void> => {
  const given = parsed(params);
  const { nodeId } = await named(node, options);
  const result = (await call(
    'node.invoke',
    { nodeId, command, params: given, timeoutMs: invokeTimeout, idempotencyKey },
    { ...options, timeoutMs: Math.max(options.timeoutMs, invokeTimeout + GRACE_MS) },
  )) as { readonly payload: unknown };
  json(asJson === true ? result : (result.payload ?? null));
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UsageError(`--params: must be JSON, for example '{"bins":["sh"]}'`);
  }
};
