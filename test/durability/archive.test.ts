import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { isMovable } from '../../src/decisions/archive.js';
import { Reader } from '../../src/ledger/reader.js';
import { check } from '../../src/ledger/rebuild.js';
import { Store } from '../../src/ledger/store.js';
import { folder, openLedger, write } from '../support/ledger.js';
import { life } from '../support/life.js';
import { seeded } from '../support/world.js';

/* SIGKILL while events are moved to the archive: each of them is in the log or in a segment, and can be read, at every moment. */

const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const FACTS = 2000;
/** About how long all of it takes. */
const WHOLE_MS = 300;

/** Archives until it is killed, some time after it began. Was it done? */
const killedAfter = async (path: string, ms: number): Promise<boolean> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/archive-ledger.js'), path]);
  let said = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data) => {
      said += data;
      resolve();
    });
    child.once('close', () => resolve());
  });
  await sleep(ms);
  child.kill('SIGKILL');
  await ended;
  return said.includes('done');
};

const looked = async (path: string, upTo: number) => {
  const store = new Store({ path, readOnly: true });
  const log = new Reader(() => store);
  const events = [...log.range({ upTo })];
  const left = [...log.stored({ upTo })].filter(({ event }) => isMovable(event.type)).length;
  const { differences } = check(store, log);
  await store.close();
  return { events: JSON.stringify(events), left, differences };
};

t.test('killed again and again on the way to the archive', { timeout: 120_000 }, async (t) => {
  t.comment(`CRASH_SEED=${SEED}`);
  const random = seeded(SEED);
  const path = folder(t);
  const next = life(SEED);
  const ledger = await openLedger(path);
  await write(ledger, ...Array.from({ length: FACTS }, next).flat());
  const upTo = ledger.log.position;
  await ledger.close();
  const before = await looked(path, upTo);
  let kills = 0;
  while (!(await killedAfter(path, random() * WHOLE_MS))) {
    kills++;
    const now = await looked(path, upTo);
    if (now.events !== before.events || now.differences.length > 0) t.fail(`after kill ${kills} something is missing`);
  }
  const after = await looked(path, upTo);
  t.ok(after.events === before.events, `nothing was lost in ${kills} kills`);
  t.equal(after.left, 0, 'all of it was moved in the end');
  t.same(after.differences, []);
  const store = new Store({ path, readOnly: true });
  const known = [...store.views.archives.entries()].map(([, { segment }]) => segment);
  await store.close();
  t.same(readdirSync(join(path, 'archive')), known, 'and no file is left over');
});
