import * as E from 'fp-ts/lib/Either.js';
import { exit } from '../../errors.js';
import { durationOf } from '../../forensics/moments.js';
import { counted, time } from '../../forensics/words.js';
import { span } from '../audit-text.js';
import { call } from '../call.js';
import { Exit, json, say } from '../output.js';
import type { ReachOptions } from '../reach.js';

/* openclaw audit archive: what of the log may leave it, and does. */

export interface ArchiveOptions {
  readonly olderThan?: string | undefined;
  readonly dryRun: boolean;
  readonly hold?: string | true | undefined;
  readonly release: boolean;
  readonly list: boolean;
}

interface Segment {
  readonly segment: string;
  readonly from: number;
  readonly to: number;
  readonly events: number;
  readonly bytes: number;
}

interface Hold {
  readonly at: number;
  readonly reason?: string;
}

interface Listed {
  readonly archiveAfterMs: number | null;
  readonly hold: Hold | null;
  readonly segments: readonly Segment[];
}

export const archive = async (wanted: ArchiveOptions, options: ReachOptions, asJson: boolean): Promise<void> => {
  const { hold, release, list, dryRun } = wanted;
  if ([hold !== undefined, release, list].filter(Boolean).length > 1)
    throw new Exit(exit.usage, ['--hold, --release or --list: one of them']);
  if (hold !== undefined) {
    const held = await call('archive.hold', typeof hold === 'string' ? { reason: hold } : {}, options);
    return asJson ? json(held) : say('Nothing is archived from now on, until openclaw audit archive --release');
  }
  if (release) {
    const released = await call('archive.release', {}, options);
    return asJson ? json(released) : say('Archiving goes on');
  }
  if (list) return show((await call('archive.list', {}, options)) as Listed, asJson);
  const params = { ...(wanted.olderThan === undefined ? {} : { olderThanMs: msOf(wanted.olderThan) }), dryRun };
  const done = (await call('archive.run', params, options)) as Pick<Listed, 'segments'> & { readonly events: number };
  if (asJson) return json(done);
  say(
    `${dryRun ? 'Would move' : 'Moved'} ${counted(done.events, 'event')} to ${counted(done.segments.length, 'segment')}`,
  );
  for (const segment of done.segments) say(segmentLine(segment));
};

const msOf = (text: string): number => {
  const ms = durationOf(text);
  if (E.isLeft(ms)) throw new Exit(exit.usage, [`--older-than: ${ms.left.message}`]);
  return ms.right;
};

const show = (listed: Listed, asJson: boolean): void => {
  if (asJson) return json(listed);
  const { archiveAfterMs, hold, segments } = listed;
  say(
    archiveAfterMs === null
      ? 'Nothing is archived by itself'
      : `Ticks and connections are archived after ${span(archiveAfterMs)}`,
  );
  if (hold !== null) say(`Held since ${time(hold.at)}${hold.reason === undefined ? '' : `: ${hold.reason}`}`);
  say(counted(segments.length, 'segment'));
  for (const segment of segments) say(segmentLine(segment));
};

const segmentLine = ({ segment, from, to, events, bytes }: Segment): string =>
  `  ${segment}: ${counted(events, 'event')} from ${from} to ${to}, ${Math.ceil(bytes / 1024)} KiB`;
