import fc from 'fast-check';
import t from 'tap';
import type { Event } from '../../events/index.js';
import { Lists, lastIn, lessened, type Posting, seqsIn, TermKeys } from '../../src/ledger/postings.js';

const keys = new TermKeys(Buffer.alloc(16, 7));

t.test('what goes into a list comes out of it, in order', async (t) => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 300 }), (numbers) => {
      const seqs = [...numbers].sort((a, b) => a - b);
      const lists = new Lists();
      for (const seq of seqs)
        lists.add({
          seq,
          type: 'device.renamed',
          subject: 'device:d1',
          actor: { kind: 'host' },
          data: { device: 'd1' },
        } as Event);
      for (const posting of lists.postings(keys)) t.same([...seqsIn(posting)], seqs);
    }),
    { numRuns: 200 },
  );
});

t.test('a list without some of its numbers is the list of all others', async (t) => {
  const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 40 }), { minLength: 1, maxLength: 100 });
  const listOf = (seqs: readonly number[]): Posting | undefined => {
    const lists = new Lists();
    for (const seq of seqs)
      lists.add({
        seq,
        type: 'device.renamed',
        subject: 'device:d1',
        actor: { kind: 'host' },
        data: { device: 'd1' },
      } as Event);
    for (const { key, value } of lists.postings(keys)) return { key: Buffer.from(key), value };
    return undefined;
  };
  fc.assert(
    fc.property(numbers, fc.func(fc.boolean()), (unsorted, leaves) => {
      const seqs = [...unsorted].sort((a, b) => a - b);
      const list = listOf(seqs) as Posting;
      t.equal(lastIn(list), seqs.at(-1));
      const left = seqs.filter((seq) => !leaves(seq));
      t.same(
        lessened(
          list,
          seqs.filter((seq) => leaves(seq)),
        ),
        listOf(left),
      );
    }),
    { numRuns: 200 },
  );
});

t.test('keys of one term lie together, by number; those of different terms never mix', async (t) => {
  const term = fc.oneof(
    fc.uuid().map((id) => `connection:${id}`),
    fc.integer({ min: 1, max: 2 ** 40 }).map((seq) => `cause:${seq}`),
    fc
      .string({ minLength: 64, maxLength: 64, unit: fc.constantFrom(...'0123456789abcdef') })
      .map((id) => `device:${id}`),
    fc.ipV4().map((address) => `address:${address}`),
    fc.constantFrom(
      'type:pairing.approved',
      'type:pairing.requested',
      'subject:gateway',
      'subject:device:d1',
      'device:d1',
      'device:d2',
      'connection:c',
    ),
  );
  fc.assert(
    fc.property(term, term, fc.nat(), fc.nat(), (a, b, m, n) => {
      const order = Math.sign(Buffer.compare(keys.key(a, m), keys.key(a, n)));
      t.equal(order, Math.sign(m - n));
      const first = keys.key(a, 0);
      const last = keys.key(a, 2 ** 47);
      const other = keys.key(b, n);
      const between = Buffer.compare(other, first) >= 0 && Buffer.compare(other, last) <= 0;
      t.equal(between, a === b);
    }),
    { numRuns: 500 },
  );
});

t.test('an address is no key: only its salted hash is', async (t) => {
  const key = keys.key('address:203.0.113.9', 1);
  t.notOk(key.includes('203'));
  t.notSame(new TermKeys(Buffer.alloc(16, 8)).key('address:203.0.113.9', 1), key);
});
