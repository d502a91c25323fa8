import { type Change, drop, type Projection, put, type Rows, unchanged } from './projection.js';

/** Whose request an id is, and which one it replaced. */
export interface RequestOwner {
  readonly device: string;
  readonly supersedes?: string | undefined;
}

const CHAIN_KEPT = 9;

/**
 * Device by request id, for as long as the device's ask is undecided: the current id and those it superseded, so that an id
 * somebody still has on the screen is answered with what became of it.
 */
export const requests: Projection<RequestOwner> = {
  name: 'requests',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'pairing.requested': {
        const { requestId, device, supersedes, silent } = event.data;
        return silent
          ? unchanged
          : [put(requestId, { device, supersedes }), ...forget(rows, supersedes, CHAIN_KEPT - 1)];
      }
      case 'pairing.approved':
      case 'pairing.rejected':
      case 'pairing.expired':
        return forget(rows, event.data.requestId, 0);
      default:
        return unchanged;
    }
  },
};

/** Drops the chain that begins at `from`, but for its first `keep` ids. */
const forget = (rows: Rows<RequestOwner>, from: string | undefined, keep: number): readonly Change<RequestOwner>[] => {
  const chain: string[] = [];
  for (let id = from; id !== undefined; id = rows.get(id)?.supersedes) {
    if (rows.get(id) === undefined) break;
    chain.push(id);
  }
  return chain.slice(keep).map(drop);
};
