import type { Store } from '../../ledger/store.js';
import type { Clock } from '../../ports.js';
import { PairList } from '../pair-list.js';

/** The answer of device.pair.list where the log is only read: as long as the log stands still, so does the list. */
export const readPairList = (store: Store, clock: Clock): Pick<PairList, 'for'> => {
  let madeAt: number | undefined;
  let connected: ReadonlySet<string> | undefined;
  const here = (): ReadonlySet<string> => {
    connected ??= new Set([...store.views.connected.entries()].flatMap(([, { device }]) => device ?? []));
    return connected;
  };
  const list = new PairList({
    views: () => store.views,
    originOf: store.originOf,
    clock,
    isConnected: (device) => here().has(device),
    latest: (read) => read(),
  });
  return {
    for: (by, dialect) =>
      store.atOnce(() => {
        const position = store.position()?.seq;
        if (position !== madeAt) {
          list.forget();
          connected = undefined;
          madeAt = position;
        }
        return list.for(by, dialect);
      }),
  };
};
