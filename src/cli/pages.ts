import { setTimeout } from 'node:timers/promises';
import type { Answered } from '../forensics/questions.js';
import type { Found, Search } from '../forensics/search.js';
import { limits } from '../limits.js';
import { type AskOptions, askFolder, recordOffline } from './ask.js';
import { type Client, Unreachable } from './client.js';
import { tell } from './output.js';
import { reach, settingsFromHere } from './reach.js';

/* The log page by page, as one reading: it is on the record once, however many pages it has. */

type Page = Answered<Found> & { readonly reading?: number | null | undefined };

interface Source {
  page(search: Search & { readonly reading?: number | undefined }): Promise<Page>;
  close(): void;
}

const fromGateway = (client: Client): Source => ({
  page: async (search) => (await client.call('audit.log', search)) as Page,
  close: () => client.close(),
});

const fromFolder = (folder: string): Source => ({
  page: async ({ reading: _, ...search }) => (await askFolder('log', search, folder)) as Page,
  close: () => {},
});

const sourceOf = async (search: Search, options: AskOptions): Promise<Source> => {
  if (options.log !== undefined) return fromFolder(options.log);
  try {
    return fromGateway((await reach(options)).client);
  } catch (error) {
    if (!(error instanceof Unreachable) || options.url !== undefined) throw error;
    tell('The gateway is not running: reading its log.');
    await recordOffline(search, options);
    return fromFolder(settingsFromHere().paths.ledger);
  }
};

const FOLLOW_MS = 500;

/**
 * Pages from the first event after `search.after` on; without it, the last ones that fit and then those to come. Ends where the log ends, or
 * goes on until `signal`.
 */
export async function* pages(search: Search, options: AskOptions, signal?: AbortSignal): AsyncIterable<Page> {
  const source = await sourceOf(search, options);
  try {
    let { after } = search;
    let reading: number | undefined;
    do {
      const page = await source.page({ ...search, limit: search.limit ?? limits.forensics.page, after, reading });
      yield page;
      reading = page.reading ?? undefined;
      const more = page.answer.more && after !== undefined;
      after = more ? page.answer.events.at(-1)?.seq : page.upTo;
      if (!more && signal === undefined) return;
      if (!more) await setTimeout(FOLLOW_MS, undefined, { signal }).catch(() => {});
    } while (signal?.aborted !== true);
  } finally {
    source.close();
  }
}
