import * as E from 'fp-ts/lib/Either.js';
import { RETENTION, type Views } from '../../../projections/index.js';
import { anyText, closed, flag, integer } from '../../codec.js';
import { hold, release } from '../../decisions/hold.js';
import { limits } from '../../limits.js';
import { plain } from '../../text.js';
import { answer, commit, type Family, later, method, refuse } from './method.js';

/* What has become of old ticks and connections, and whether more of them may go. For admins. */

const none = closed({}, {});
const DAY_MS = 24 * 60 * 60 * 1000;

const holdIn = (views: Views) => views.retention.get(RETENTION)?.hold ?? null;

export const archive: Family = {
  'archive.run': method(closed({}, { olderThanMs: integer(0), dryRun: flag }), (asked, { by, parts }) => {
    const { archiver, clock, settings } = parts;
    const { olderThanMs = settings.archiveAfterMs ?? limits.archive.afterDays * DAY_MS, dryRun } = asked;
    const run = archiver.run({ before: clock.now() - olderThanMs, by, dryRun });
    return later(
      run.then((outcome) =>
        E.isLeft(outcome) ? refuse(outcome.left) : answer({ ...outcome.right, dryRun: dryRun === true }),
      ),
    );
  }),

  'archive.hold': method(closed({}, { reason: anyText(limits.claims.textChars) }), (asked, { by }) => {
    const reason = plain(asked.reason, limits.claims.reasonChars);
    return commit({
      decide: (views) => hold(views, { reason, by }),
      answer: (events, views) => ({ hold: holdIn(views), changed: events.length > 0 }),
    });
  }),

  'archive.release': method(none, (_, { by }) =>
    commit({
      decide: (views) => release(views, { by }),
      answer: (events, views) => ({ hold: holdIn(views), changed: events.length > 0 }),
    }),
  ),

  'archive.list': method(none, (_, { parts: { ledger, settings } }) =>
    answer({
      archiveAfterMs: settings.archiveAfterMs ?? null,
      hold: holdIn(ledger.views),
      segments: [...ledger.views.archives.entries()].map(([, row]) => row),
    }),
  ),
};
