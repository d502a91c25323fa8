import { catalogue, type Event, type EventType, isEventType } from '../../../events/index.js';
import { exit } from '../../errors.js';
import { follow } from '../../ledger/follow.js';
import { type Query, Reader } from '../../ledger/reader.js';
import { Store } from '../../ledger/store.js';
import { lineOf } from '../event-lines.js';
import { Exit, say } from '../output.js';
import { settingsFromHere } from '../reach.js';

export interface EventsOptions {
  readonly type?: string | undefined;
  readonly subject?: string | undefined;
  readonly after?: number | undefined;
  readonly limit?: number | undefined;
  readonly follow: boolean;
  readonly json: boolean;
}

const POLL_MS = 200;

/** A plain look at the log: read from its files, beside a gateway that runs or without one. Nothing is written. */
export const events = async (options: EventsOptions): Promise<void> => {
  const store = openLog();
  const reader = new Reader(() => store);
  const query: Query = {
    type: typeOf(options.type),
    subject: options.subject,
    ...(options.after === undefined ? {} : { after: options.after }),
  };
  try {
    let shown = 0;
    for (const event of options.after === undefined && options.limit !== undefined
      ? newest(reader, query, options.limit)
      : reader.query(query)) {
      if (options.limit !== undefined && shown >= options.limit) break;
      show(event, options);
      shown++;
    }
    if (options.follow) await goOn(store, reader, query, options);
  } finally {
    await store.close();
  }
};

const openLog = (): Store => {
  const { ledger } = settingsFromHere().paths;
  if (!Store.exists(ledger))
    throw new Exit(exit.refused, [
      `there is no log in ${ledger}: has a gateway run here? (OPENCLAW_STATE_DIR names another state folder)`,
    ]);
  return new Store({ path: ledger, readOnly: true });
};

const typeOf = (type: string | undefined): EventType | undefined => {
  if (type === undefined || isEventType(type)) return type;
  const known = Object.keys(catalogue);
  const near = known.filter((name) => name.startsWith(type.split('.')[0] ?? ''));
  throw new Exit(exit.usage, [`unknown event type; there are: ${(near.length > 0 ? near : known).join(', ')}`]);
};

/** The last events that fit, in log order. */
const newest = (reader: Reader, query: Query, limit: number): readonly Event[] => {
  const kept: Event[] = [];
  for (const event of reader.query(query)) {
    kept.push(event);
    if (kept.length > limit) kept.shift();
  }
  return kept;
};

const show = (event: Event, { json }: EventsOptions): void => say(json ? JSON.stringify(event) : lineOf(event));

/** What comes from now on, until interrupted. */
const goOn = async (store: Store, reader: Reader, { type, subject }: Query, options: EventsOptions): Promise<void> => {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const news = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
  store.refresh();
  for await (const chunk of follow(reader, reader.position, news, stop.signal)) {
    for (const event of chunk)
      if ((type === undefined || event.type === type) && (subject === undefined || event.subject === subject))
        show(event, options);
  }
};
