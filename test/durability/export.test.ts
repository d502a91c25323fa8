import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { folder } from '../support/ledger.js';
import { filesIn, lived, stateWith } from '../support/outsider.js';
import { launch, openclaw } from '../support/process.js';
import { seeded } from '../support/world.js';

/* SIGKILL while the log is written to a folder: what is in place at any moment is whole, and the next run ends what this one began. */

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const KILLS = 8;

t.test('killed again and again on the way to a folder, while the log grows', { timeout: 240_000 }, async (t) => {
  t.comment(`CRASH_SEED=${SEED}`);
  const random = seeded(SEED);
  const state = await stateWith(t, 4000);
  const path = join(folder(t), 'export');
  /* It is signed, so that a copy can be exported, and how long all of it takes is known. */
  const begun = performance.now();
  t.equal((await openclaw(state, ['audit', 'export', join(folder(t), 'first')])).code, 0);
  const whole = performance.now() - begun;
  let cut = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = launch(state, ['audit', 'export', path, '--log', state], {});
    const ended = once(child, 'close');
    await sleep(whole * (0.3 + 0.7 * random()));
    child.kill('SIGKILL');
    await ended;
    if (child.signalCode === 'SIGKILL') cut++;
    if (kill % 3 === 2) {
      await lived(state, 300, kill);
      t.equal((await openclaw(state, ['audit', 'export', join(folder(t), `signs-${kill}`)])).code, 0);
    }
  }
  t.comment(`${cut} of ${KILLS} were cut short`);
  t.equal((await openclaw(state, ['audit', 'export', path, '--log', state])).code, 0);
  const fresh = join(folder(t), 'export');
  t.equal((await openclaw(state, ['audit', 'export', fresh, '--log', state])).code, 0);
  t.same(Object.keys(filesIn(path)).sort(), Object.keys(filesIn(fresh)).sort());
  t.ok(JSON.stringify(filesIn(path)) === JSON.stringify(filesIn(fresh)), 'byte for byte what a first run makes');
});
