import * as E from 'fp-ts/lib/Either.js';
import { type DataOf, type Fact, subjectOf } from '../../events/index.js';
import type { Approval, Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Decided, Moment } from './decision.js';
import { actorOf, originOf, type Principal } from './principal.js';

/* Whether a command may be run: asked, decided once by whoever is first, used, or too late. */

export type Decision = DataOf<'exec.approval-decided'>['decision'];

type Pending = Pick<Views, 'approvals'>;

export interface AskToRun {
  readonly approval: string;
  readonly plan: string;
  readonly device: string | undefined;
  readonly timeoutMs: number;
  readonly by: Principal;
}

export const askToRun = (
  { approvals, paired }: Pick<Views, 'approvals' | 'paired'>,
  { approval, plan, device, timeoutMs, by }: AskToRun,
  { at }: Pick<Moment, 'at'>,
): Decided => {
  if (approvals.get(approval) !== undefined) return E.left(refusal('approval-pending'));
  if (device !== undefined && paired.get(device)?.roles.includes('node') !== true)
    return E.left(refusal('unknown-node'));
  if (openIn(approvals, at) >= limits.exec.pending) return E.left(refusal('too-many-approvals'));
  return E.right([
    {
      type: 'exec.approval-requested',
      subject: device === undefined ? subjectOf.gateway : subjectOf.device(device),
      actor: actorOf(by),
      data: { approval, plan, expiresAt: at + timeoutMs, device },
      origin: originOf(by),
    },
  ]);
};

/** Those that can still be decided, or used. */
const openIn = (approvals: Views['approvals'], at: number): number =>
  [...approvals.entries()].filter(([, { allowed, expiresAt }]) =>
    allowed === undefined ? at < expiresAt : at <= allowed.at + limits.exec.grantMs,
  ).length;

export interface DecideRun {
  readonly approval: string;
  readonly decision: Decision;
  readonly by: Principal;
}

/** The first answer holds. */
export const decideRun = (
  { approvals }: Pending,
  { approval, decision, by }: DecideRun,
  { at }: Pick<Moment, 'at'>,
): Decided => {
  const row = approvals.get(approval);
  if (row === undefined || row.allowed !== undefined || row.expiresAt <= at) return E.left(refusal('unknown-approval'));
  return E.right([
    {
      type: 'exec.approval-decided',
      subject: subjectOfRow(row),
      actor: actorOf(by),
      cause: row.seq,
      data: { approval, plan: row.plan, decision },
      origin: originOf(by),
    },
  ]);
};

/** Nobody decided. Nothing if somebody did. */
export const expireRun = (
  { approvals }: Pending,
  approval: string,
  why: DataOf<'exec.approval-expired'>['why'],
): readonly Fact[] => {
  const row = approvals.get(approval);
  if (row === undefined || row.allowed !== undefined) return [];
  return [
    {
      type: 'exec.approval-expired',
      subject: subjectOfRow(row),
      actor: { kind: 'gateway', rule: 'expiry' },
      cause: row.seq,
      data: { approval, why },
    },
  ];
};

export interface UseApproval {
  readonly approval: string;
  /** Of what would be run now. */
  readonly plan: string;
  readonly invocation: string;
  readonly device: string;
  readonly by: Principal & { readonly kind: 'connection' };
}

/** What was allowed is run: the same plan, on the same node, for the same asker, soon after it was allowed. */
export const useApproval = (
  { approvals }: Pending,
  { approval, plan, invocation, device, by }: UseApproval,
  { at }: Pick<Moment, 'at'>,
): Decided => {
  const no = (code: string, message: string): Decided =>
    E.left(refusal('approval-mismatch', message, { code, runId: approval }));
  const row = approvals.get(approval);
  if (row === undefined) return no('UNKNOWN_APPROVAL_ID', 'unknown or expired approval id');
  if (at > row.expiresAt) return no('APPROVAL_EXPIRED', 'approval expired');
  if (row.device !== device) return no('APPROVAL_NODE_MISMATCH', 'approval id not valid for this node');
  if (!isAsker(row, by)) return no('APPROVAL_DEVICE_MISMATCH', 'approval id not valid for this device');
  if (row.plan !== plan) return no('APPROVAL_REQUEST_MISMATCH', 'approval id does not match request');
  if (row.allowed === undefined) return no('APPROVAL_REQUIRED', 'approval required');
  if (at > row.allowed.at + limits.exec.grantMs) return no('APPROVAL_EXPIRED', 'approval expired');
  return E.right([
    {
      type: 'exec.approval-used',
      subject: subjectOf.device(device),
      actor: actorOf(by),
      cause: row.allowed.seq,
      data: { approval, invocation, device },
    },
  ]);
};

const isAsker = ({ asker }: Approval, { device, connection }: UseApproval['by']): boolean =>
  asker.device === undefined ? asker.connection === connection : asker.device === device;

const subjectOfRow = ({ device }: Approval): string =>
  device === undefined ? subjectOf.gateway : subjectOf.device(device);
