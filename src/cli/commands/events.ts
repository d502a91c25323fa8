import { setTimeout } from 'node:timers/promises';
import { catalogue, type Event, type EventType, isEventType } from '../../../events/index.js';
import { exit } from '../../errors.js';
import { follow } from '../../ledger/follow.js';
import { fits, type Query, Reader } from '../../ledger/reader.js';
import { Store } from '../../ledger/store.js';
import { lineOf } from '../event-lines.js';
import { Exit, say } from '../output.js';
import { settingsFromHere } from '../reach.js';

export interface EventsOptions {
  /** Where a limit counts from. */
  readonly from: 'start' | 'end';
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
  const { from, limit, json, after = 0 } = options;
  if (options.follow && from === 'start' && limit !== undefined)
    throw new Exit(exit.usage, ['--limit would leave a gap before what --follow prints: use openclaw events tail']);
  const store = openLog();
  const reader = new Reader(() => store);
  const upTo = reader.position;
  const type = typeOf(options.type);
  const { subject } = options;
  const terms = [
    ...(type === undefined ? [] : [`type:${type}`]),
    ...(subject === undefined ? [] : [subject.startsWith('connection:') ? subject : `subject:${subject}`]),
  ];
  const isAsked = (event: Event): boolean => subject === undefined || event.subject === subject;
  const query: Query = { terms, after, upTo };
  const show = (event: Event): void => say(json ? JSON.stringify(event) : lineOf(event));
  try {
    const found = only(reader.query(query), isAsked);
    for (const event of from === 'start' ? first(found, limit) : last(found, limit)) show(event);
    if (options.follow)
      await goOn(reader, Math.max(after, upTo), (event) => fits(event, query) && isAsked(event) && show(event));
  } finally {
    await store.close();
  }
};

export const openLog = (): Store => {
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

function* only(found: Iterable<Event>, isAsked: (event: Event) => boolean): Iterable<Event> {
  for (const event of found) if (isAsked(event)) yield event;
}

function* first(found: Iterable<Event>, limit = Number.POSITIVE_INFINITY): Iterable<Event> {
  let shown = 0;
  for (const event of found) {
    if (shown++ >= limit) return;
    yield event;
  }
}

const last = (found: Iterable<Event>, limit = Number.POSITIVE_INFINITY): readonly Event[] => {
  const kept: Event[] = [];
  for (const event of found) {
    kept.push(event);
    if (kept.length > limit) kept.shift();
  }
  return kept;
};

/** What comes after a position, until interrupted. */
const goOn = async (reader: Reader, after: number, hear: (event: Event) => void): Promise<void> => {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const news = (signal: AbortSignal): Promise<void> => setTimeout(POLL_MS, undefined, { signal }).catch(() => {});
  for await (const chunk of follow(reader, after, news, stop.signal)) for (const event of chunk) hear(event);
};
