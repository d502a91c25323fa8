import t from 'tap';
import { verify } from '../../src/verify/verify.js';
import { turn } from '../support/flips.js';
import { policy, recordedIn, sourceOf } from '../support/recorded.js';
import { seeded } from '../support/world.js';

/* Every bit of a log turned over, one at a time: each is found, and found where it is. */

t.test('every bit of their personal data, of the tree, of the checkpoint and of the root', async (t) => {
  const log = await recordedIn(t, 200);
  const found = async (): Promise<readonly string[]> =>
    (await verify(sourceOf(log), { policy })).damage.map((one) => one.class);
  for (const [at, leaf] of log.leaves.entries()) {
    const origin = leaf?.origin;
    if (!origin) continue;
    for (let bit = 0; bit < origin.length * 8; bit += 5) {
      turn(origin, bit);
      const classes = await found();
      turn(origin, bit);
      if (classes.join() !== 'origin-changed') t.fail(`origin of ${at + 1}, bit ${bit}: ${classes}`);
    }
  }
  for (const [name, hashes] of log.tiles) {
    for (let bit = 0; bit < hashes.length * 8; bit += 3) {
      turn(hashes, bit);
      const classes = await found();
      turn(hashes, bit);
      if (classes.join() !== 'tile-mismatch') t.fail(`${name} bit ${bit}: ${classes}`);
    }
  }
  const note = Buffer.from(log.checkpoint ?? '');
  for (let bit = 0; bit < note.length * 8; bit++) {
    const other = Buffer.from(note);
    turn(other, bit);
    const { sound, damage } = await verify({ ...sourceOf(log), checkpoint: other.toString() }, { policy });
    if (sound || damage.length === 0) t.fail(`checkpoint bit ${bit}`);
  }
});

t.test('of 2,000 events, some bits of each', async (t) => {
  const log = await recordedIn(t, 2000);
  const random = seeded(2000);
  const missed: number[] = [];
  for (let n = 0; n < 4000; n++) {
    const at = n % log.size;
    const { bytes } = log.leaves[at] ?? { bytes: Buffer.alloc(1) };
    const bit = Math.floor(random() * bytes.length * 8);
    turn(bytes, bit);
    const { damage } = await verify(sourceOf(log), { policy });
    turn(bytes, bit);
    if (damage[0]?.class !== 'leaf-changed' || damage[0].from !== at + 1) missed.push(at + 1);
  }
  t.same(missed, []);
});
