import t from 'tap';
import { type Range, Reader } from '../../src/ledger/reader.js';
import { Store } from '../../src/ledger/store.js';
import { TermIndex } from '../../src/ledger/terms.js';
import { limits } from '../../src/limits.js';
import { folder, openLedger, ticked, write } from '../support/ledger.js';

/** As many as fit an event log without one index batch. */
const EVENTS = 3 * limits.ledger.indexRead + 17;

/** A log whose index was lost with what was in memory, and what is read of it. */
const backlog = async (t: Parameters<typeof folder>[0]) => {
  const path = folder(t);
  const ledger = await openLedger(path);
  t.teardown(() => ledger.close());
  const more = async (count: number) => await write(ledger, ...Array.from({ length: count }, (_, i) => ticked(i)));
  await more(EVENTS);
  const store = new Store({ path, readOnly: true });
  t.teardown(() => store.close());
  const reader = new Reader(() => store);
  const read: number[] = [];
  const counted: Reader = Object.create(reader, {
    range: {
      value: function* (range: Range) {
        let events = 0;
        for (const event of reader.range(range)) {
          events++;
          yield event;
        }
        read.push(events);
      },
    },
    position: { get: () => reader.position },
  });
  return { more, read, index: new TermIndex(0, Buffer.alloc(16), counted), position: () => reader.position };
};

t.test('a backlog is read a slice a turn, and nothing is written until it is read', async (t) => {
  const { read, index, position } = await backlog(t);
  const { indexBatch } = limits.ledger;
  t.equal(index.due(position(), indexBatch), undefined);
  t.notOk(index.unfinished, 'it is not due');
  for (let turn = 0; turn < 3; turn++) {
    t.equal(index.due(position(), turn === 0 ? 1 : indexBatch), undefined);
    t.ok(index.unfinished);
  }
  const entries = index.due(position(), indexBatch);
  t.match(entries, { upTo: EVENTS });
  t.same(read, [200, 200, 200, 17]);
  index.written(EVENTS);
  t.notOk(index.unfinished);
  t.equal(index.upTo, EVENTS);
});

t.test('what comes while it is read is read, too, and then nothing has to be read again', async (t) => {
  const { more, read, index, position } = await backlog(t);
  index.due(position(), 1);
  await more(100);
  while (index.due(position(), 1) === undefined);
  index.written(EVENTS + 100);
  const events = await more(5);
  index.note(events);
  const before = read.length;
  t.match(index.due(position(), 1), { upTo: EVENTS + 105 });
  t.equal(read.length, before);
});

t.test('what is erased meanwhile is read anew', async (t) => {
  const { read, index, position } = await backlog(t);
  index.due(position(), 1);
  index.forget();
  t.notOk(index.unfinished);
  while (index.due(position(), 1) === undefined);
  t.same(read, [200, 200, 200, 200, 17]);
});
