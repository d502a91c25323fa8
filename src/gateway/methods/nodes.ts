import type { Origin } from '../../../events/index.js';
import { askerOf, holderOf, type PairedDevice, type PendingRequest } from '../../../projections/index.js';
import { isLoopback } from '../../addresses.js';
import { closed, text } from '../../codec.js';
import { waits } from '../../decisions/device.js';
import { mayManage } from '../../decisions/principal.js';
import { refusal } from '../../errors.js';
import type { Parts } from '../parts.js';
import { approveRequest, rejectRequest, renameDevice } from './devices.js';
import { answer, type Family, method, refuse } from './method.js';

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

const entryOf = (row: PairedDevice, { sessions, ledger }: Parts) => {
  const session = [...sessions.ofDevice(row.device)].filter(({ node }) => node !== undefined).at(-1);
  const said = session?.node;
  return {
    nodeId: row.device,
    ...metadata(row, holderOf(row, ledger.originOf)),
    version: said?.version,
    modelIdentifier: said?.modelIdentifier ?? row.client.modelIdentifier,
    caps: [...(said?.caps ?? [])].sort(),
    commands: [...(said?.commands ?? [])].sort(),
    pathEnv: said?.pathEnv,
    permissions: said?.permissions,
    connectedAtMs: session?.since,
    paired: true,
    connected: session !== undefined,
  };
};

const pairedNodes = ({ ledger }: Parts): readonly PairedDevice[] =>
  [...ledger.views.paired.entries()].map(([, row]) => row).filter(isNode);

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
