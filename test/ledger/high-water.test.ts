import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import t from 'tap';
import { HighWaterMark } from '../../src/ledger/high-water.js';
import { folder } from '../support/ledger.js';

/* The mark outside, in a place that may be anything: gone, locked, no file at all, or a share that never answers. */

t.test('a mark that was written although it seemed to fail is our own', async (t) => {
  const mark = new HighWaterMark(join(folder(t), 'mark'));
  t.ok(await mark.raise(undefined, 'a'));
  t.ok(await mark.raise('a', 'b'));
  t.ok(await mark.raise('a', 'c'), 'of b it was not known that it had arrived');
  writeFileSync(mark.path, 'others');
  t.notOk(await mark.raise('c', 'd'));
});

t.test('the mark is raised by one at a time, and a lock that was left behind holds nobody up', async (t) => {
  const mark = new HighWaterMark(join(folder(t), 'mark'));
  const others = ['b', 'c'].map(() => new HighWaterMark(mark.path));
  const raised = await Promise.all([mark, ...others].map((one, n) => one.raise(undefined, String(n))));
  t.equal(raised.filter(Boolean).length, 1);
  t.notOk(existsSync(`${mark.path}.lock`));
});

t.test('a pipe in its place is no mark, and nobody waits for what comes out of it', async (t) => {
  const mark = new HighWaterMark(join(folder(t), 'mark'));
  execFileSync('mkfifo', [mark.path]);
  t.teardown(() => closeSync(openSync(mark.path, constants.O_RDWR | constants.O_NONBLOCK)));
  await t.rejects(mark.read(), { name: 'MarkUnusable', message: /mark cannot be read: it is no file$/ });
  await t.rejects(mark.raise(undefined, 'a'), { name: 'MarkUnusable', message: /cannot be written: it is no file$/ });
  t.notOk(existsSync(`${mark.path}.lock`));
});

t.test('so is a folder, or a device without end', async (t) => {
  for (const path of [folder(t), '/dev/zero'])
    await t.rejects(new HighWaterMark(path).read(), { name: 'MarkUnusable', message: /it is no file$/ });
});

/** On a share that does not answer until it is mounted again. */
class HangingMark extends HighWaterMark {
  asked = 0;
  hangs = true;
  back = (): void => {};

  protected override async said(): Promise<string | undefined> {
    this.asked++;
    if (this.hangs)
      await new Promise<void>((resolve) => {
        this.back = resolve;
      });
    return super.said();
  }
}

t.test('a place that hangs is waited for once, and used again when it is back', async (t) => {
  const mark = new HangingMark(join(folder(t), 'mark'), 500);
  await t.rejects(mark.raise(undefined, 'a'), { name: 'MarkUnusable', message: /it takes too long$/ });
  for (let n = 0; n < 8; n++)
    await t.rejects(mark.raise(undefined, 'a'), { name: 'MarkUnusable', message: /it still hangs$/ });
  t.equal(mark.asked, 1, 'each would keep a thread');
  mark.hangs = false;
  mark.back();
  const raise = (): Promise<boolean> => mark.raise(undefined, 'b').catch(() => setTimeout(20).then(raise));
  t.ok(await raise(), 'what came too late is not written');
  t.equal(await readFile(mark.path, 'utf8'), 'b');
});
