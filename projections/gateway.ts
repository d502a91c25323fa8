import { type Projection, put, unchanged } from './projection.js';

/** The gateway about itself: one row. */
export interface GatewayRow {
  readonly boot?:
    | { readonly id: string; readonly seq: number; readonly at: number; readonly stopped: boolean }
    | undefined;
  /** The shared secret in force by fingerprint, and the event since which it is. */
  readonly secret?: { readonly credential: string; readonly seq: number } | undefined;
}

export const GATEWAY = 'gateway';

export const gateway: Projection<GatewayRow> = {
  name: 'gateway',
  version: 1,
  apply: (event, rows) => {
    const before = (): GatewayRow => rows.get(GATEWAY) ?? {};
    switch (event.type) {
      case 'gateway.started':
        return [
          put(GATEWAY, { ...before(), boot: { id: event.data.boot, seq: event.seq, at: event.at, stopped: false } }),
        ];
      case 'gateway.stopped':
        return [put(GATEWAY, stopped(before()))];
      case 'gateway.secret-rotated':
        return [put(GATEWAY, { ...before(), secret: { credential: event.data.to, seq: event.seq } })];
      default:
        return unchanged;
    }
  },
};

const stopped = (row: GatewayRow): GatewayRow => ({ ...row, boot: row.boot && { ...row.boot, stopped: true } });
