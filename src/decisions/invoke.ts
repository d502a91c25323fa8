import * as E from 'fp-ts/lib/Either.js';
import { subjectOf } from '../../events/index.js';
import type { Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided, Moment } from './decision.js';
import type { Device } from './device.js';
import { type UseApproval, useApproval } from './exec-approval.js';
import { isAllowed, isReserved, type NodeRules } from './node-commands.js';
import { actorOf, originOf, type Principal } from './principal.js';

export interface Invoke {
  /** Id of the invocation. */
  readonly invocation: string;
  readonly command: string;
  readonly timeoutMs: number;
  /** Keyed digests of the idempotency key and of the arguments. */
  readonly key: string;
  readonly params: string | undefined;
  /** The session that would be told, and what it declared when it came; undefined if the node is not here. */
  readonly node:
    | { readonly connection: string; readonly seq: number; readonly commands: readonly string[] }
    | undefined;
  readonly rules: NodeRules;
  /** It is run because somebody allowed it. */
  readonly use: Pick<UseApproval, 'approval' | 'plan'> | undefined;
  readonly by: Principal & { readonly kind: 'connection' };
}

/** A node is told to do something that it offered, and that its platform may do. */
export const invoke = (
  device: Device,
  { node, rules, by, use, ...asked }: Invoke,
  views: Pick<Views, 'approvals'>,
  moment: Pick<Moment, 'at'>,
): Decided => {
  const { command, invocation } = asked;
  if (isReserved(command)) return E.left(refusal('invoke-reserved'));
  if (node === undefined || device.paired?.roles.includes('node') !== true)
    return E.left(refusal('node-not-connected', undefined, { code: 'NOT_CONNECTED' }));
  const { client } = device.paired;
  if (!isAllowed(command, client, rules))
    return denied(
      command,
      'command not allowlisted',
      `"${command}" is not in the allowlist for platform "${client.platform}"`,
    );
  if (node.commands.length === 0)
    return denied(command, 'node did not declare commands', 'the node did not declare commands');
  if (!node.commands.includes(command))
    return denied(command, 'command not declared by node', `the node did not declare "${command}"`);
  const used =
    use === undefined ? E.right([]) : useApproval(views, { ...use, invocation, device: device.id, by }, moment);
  if (E.isLeft(used)) return used;
  return E.right([
    ...used.right,
    {
      type: 'node.invoked',
      subject: subjectOf.device(device.id),
      actor: actorOf(by),
      cause: node.seq,
      data: { ...asked, device: device.id, node: node.connection },
      origin: originOf(by),
    },
  ]);
};

const denied = (command: string, reason: string, why: string): Decided =>
  E.left(refusal('command-not-allowed', `node command not allowed: ${why}`, { reason, command }));
