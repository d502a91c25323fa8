import type { EventOf } from '../events/index.js';
import { clear, drop, type Projection, put, type Rows, unchanged } from './projection.js';

/** A run that somebody asked about: undecided, or allowed and not used up. */
export interface Approval {
  readonly seq: number;
  readonly at: number;
  /** When it is too late to decide (ms). */
  readonly expiresAt: number;
  readonly plan: string;
  /** The node that would run it. */
  readonly device?: string | undefined;
  /** Who asked. */
  readonly asker: { readonly connection?: string | undefined; readonly device?: string | undefined };
  readonly allowed?: { readonly seq: number; readonly at: number; readonly once: boolean } | undefined;
}

/** How long after its time a row may lie here that nothing else removed. */
const STALE_MS = 60_000;

export const approvals: Projection<Approval> = {
  name: 'approvals',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'gateway.started':
        return [clear];
      case 'exec.approval-requested': {
        const { approval, plan, expiresAt, device } = event.data;
        const asker =
          event.actor.kind === 'connection' ? { connection: event.actor.connection, device: event.actor.device } : {};
        return [
          ...stale(rows, event.at),
          put(approval, { seq: event.seq, at: event.at, expiresAt, plan, device, asker }),
        ];
      }
      case 'exec.approval-decided':
        return decided(event, rows);
      case 'exec.approval-expired':
        return [drop(event.data.approval)];
      case 'exec.approval-used':
        return rows.get(event.data.approval)?.allowed?.once === true ? [drop(event.data.approval)] : unchanged;
      default:
        return unchanged;
    }
  },
};

const decided = (
  { seq, at, data: { approval, decision } }: Omit<EventOf<'exec.approval-decided'>, 'origin'>,
  rows: Rows<Approval>,
) => {
  const row = rows.get(approval);
  if (row === undefined || decision === 'deny') return [drop(approval)];
  return [put(approval, { ...row, allowed: { seq, at, once: decision === 'allow-once' } })];
};

const stale = (rows: Rows<Approval>, now: number) =>
  [...rows.entries()].filter(([, row]) => row.expiresAt + STALE_MS < now).map(([approval]) => drop(approval));
