import fc from 'fast-check';
import t from 'tap';
import { Remembered } from '../../src/ledger/remembered.js';

t.test('what was used last is remembered, and not more than is allowed', async (t) => {
  const remembered = new Remembered<number>(8);
  for (let i = 0; i < 100; i++) {
    remembered.set(String(i), i);
    t.equal(remembered.get('0'), 0, 'what is asked for stays');
  }
  const known = Array.from({ length: 100 }, (_, i) => remembered.get(String(i))).filter((value) => value !== undefined);
  t.ok(known.length <= 8 && known.length >= 4);
  t.ok(known.includes(99), 'the newest is there');
});

t.test('property: what it says of a key is what was said last', async () => {
  const act = fc.record({
    verb: fc.constantFrom('set' as const, 'get' as const, 'clear' as const),
    key: fc.integer({ min: 0, max: 12 }).map(String),
    value: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const remembered = new Remembered<number>(8);
      const last = new Map<string, number>();
      return acts.every(({ verb, key, value }) => {
        if (verb === 'clear') {
          remembered.clear();
          last.clear();
        } else if (verb === 'set') {
          remembered.set(key, value);
          last.set(key, value);
        }
        const known = remembered.get(key);
        return known === undefined || known === last.get(key);
      });
    }),
  );
});
