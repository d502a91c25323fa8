import t from 'tap';
import { Turns } from '../../src/gateway/turns.js';
import { limits } from '../../src/limits.js';
import { TestClock } from '../support/world.js';

t.test('what fits into a turn is done at once, the rest in order, a slice a turn', async (t) => {
  const clock = new TestClock();
  const turns = new Turns(clock);
  const done: number[] = [];
  const perTurn = 4;
  for (let n = 0; n < 10; n++)
    turns.take(() => {
      clock.pass(limits.turns.workMs / perTurn);
      done.push(n);
    });
  const counts = [done.length];
  while (done.length < 10) {
    await new Promise(setImmediate);
    counts.push(done.length);
  }
  t.same(counts, [4, 8, 10]);
  t.same(
    done,
    [...done].sort((a, b) => a - b),
  );
  await new Promise(setImmediate);
  turns.take(() => done.push(10));
  t.equal(done.length, 11, 'and the next turn begins anew');
});
