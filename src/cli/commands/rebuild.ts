import { exit } from '../../errors.js';
import { Ledger } from '../../ledger/ledger.js';
import { Reader } from '../../ledger/reader.js';
import { check } from '../../ledger/rebuild.js';
import { Store } from '../../ledger/store.js';
import { systemClock, systemEntropy } from '../../runtime.js';
import { Exit, json, say } from '../output.js';
import { settingsFromHere } from '../reach.js';

const pathOfLog = (): string => {
  const { ledger } = settingsFromHere().paths;
  if (!Store.exists(ledger)) throw new Exit(exit.refused, [`there is no log in ${ledger}`]);
  return ledger;
};

/** Drops every view and makes it anew from the log. The gateway must be down. */
export const rebuildViews = async (asJson: boolean): Promise<void> => {
  const onBug = (error: unknown): void => console.error(error);
  const ledger = await Ledger.open({
    path: pathOfLog(),
    purpose: 'openclaw rebuild',
    clock: systemClock,
    entropy: systemEntropy(),
    onBug,
  });
  try {
    const events = ledger.rebuild();
    if (asJson) json({ events });
    else say(`Views rebuilt from ${events} events`);
  } finally {
    await ledger.close();
  }
};

/** Compares the views with what the log makes of them, also beside a running gateway. Exit 3 if they differ. */
export const checkViews = async (asJson: boolean): Promise<void> => {
  const store = new Store({ path: pathOfLog(), readOnly: true });
  try {
    const result = check(store, new Reader(() => store));
    if (asJson) json(result);
    else say(`${result.events} events replayed, ${result.rows} rows compared, ${result.differences.length} different`);
    if (result.differences.length === 0) return;
    const named = result.differences.slice(0, 10).map(({ view, key, is }) => `${view} ${key}: ${is}`);
    throw new Exit(exit.damaged, [
      ...named,
      'The views are not what the log makes of them. Keep a copy of the ledger folder, stop the gateway, then: openclaw rebuild',
    ]);
  } finally {
    await store.close();
  }
};
