import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import * as io from 'io-ts';
import t from 'tap';
import { fields, kind } from '../../events/envelope.js';
import { catalogue, decodeEvent, type Event, lifted } from '../../events/index.js';
import { unstamp } from '../../src/ledger/stamp.js';

/*
 * The stored form outlives every version of this code. golden/<type>.v<version>.jsonl holds the exact bytes of two events of each
 * version that ever was: one with every field, one with only those that are required. The files are never edited.
 */

const GOLDEN = 'test/events/golden';

const lines = (file: string): readonly string[] => readFileSync(`${GOLDEN}/${file}`, 'utf8').trim().split('\n');

const read = (text: string): Event => {
  const { seq } = JSON.parse(text) as { seq: number };
  const event = unstamp(Buffer.from(text), seq, undefined);
  if (E.isLeft(event)) throw new Error(event.left);
  return event.right;
};

t.test('every version of every type has its golden file, and there is none beside them', async (t) => {
  const expected = Object.entries(catalogue).flatMap(([type, { v }]) =>
    Array.from({ length: v }, (_, older) => `${type}.v${older + 1}.jsonl`),
  );
  t.same([...readdirSync(GOLDEN)].sort(), expected.sort());
});

t.test('what was stored is read whole: no field is lost, renamed or retyped', async (t) => {
  for (const file of readdirSync(GOLDEN)) {
    for (const text of lines(file)) {
      const event = read(text);
      t.equal(`${event.type}.v${JSON.parse(text).v}.jsonl`, file);
      if (catalogue[event.type].v !== event.v) continue;
      const { originHash, origin: _, ...rest } = event;
      t.same(JSON.parse(JSON.stringify({ ...rest, origin: originHash })), JSON.parse(text), `${file} ${event.seq}`);
    }
  }
});

t.test('an event that lacks a required field, or has one of another type, is not read', async (t) => {
  for (const file of readdirSync(GOLDEN)) {
    const least = JSON.parse(lines(file).at(-1) ?? '') as { data: Record<string, unknown> };
    for (const field of Object.keys(least.data)) {
      const { [field]: _, ...rest } = least.data;
      t.match(decodeEvent({ ...least, data: rest }, undefined), E.left(/does not fit/), `${file} without ${field}`);
      const other = { ...least.data, [field]: null };
      t.match(
        decodeEvent({ ...least, data: other }, undefined),
        E.left(/does not fit/),
        `${file} with another ${field}`,
      );
    }
  }
});

t.test('a field that this version does not know is dropped, not refused: a newer program wrote it', async (t) => {
  const [full = ''] = lines('pairing.rejected.v1.jsonl');
  const stored = JSON.parse(full) as { data: object };
  const event = decodeEvent({ ...stored, data: { ...stored.data, later: 1 }, laterToo: 1 }, undefined);
  t.same(event, decodeEvent(stored, undefined));
});

t.test('older data is lifted one version at a time; a version from the future is refused by its number', async (t) => {
  const renamed = kind(fields({ who: io.string, count: io.number }, {}), [
    ({ name, ...rest }) => ({ ...rest, who: name }),
    (older) => ({ ...older, count: 1 }),
  ]);
  t.equal(renamed.v, 3);
  t.same(lifted(renamed, 1, { name: 'a' }), E.right({ who: 'a', count: 1 }));
  t.same(lifted(renamed, 2, { who: 'a' }), E.right({ who: 'a', count: 1 }));
  t.same(lifted(renamed, 3, { who: 'a', count: 7 }), E.right({ who: 'a', count: 7 }));
  t.match(lifted(renamed, 4, {}), E.left(/newer version of this program \(schema 4, known 3\)/));
});

t.test('stored bytes are judged before they are believed, and never repeated', async (t) => {
  const [, text = ''] = lines('pairing.rejected.v1.jsonl');
  const { seq } = JSON.parse(text) as { seq: number };
  const why = (bytes: string, at = seq, origin?: Buffer) => {
    const event = unstamp(Buffer.from(bytes), at, origin);
    return E.isLeft(event) ? event.left : undefined;
  };
  t.equal(why(text), undefined);
  t.equal(why(text.slice(1)), 'it is not JSON');
  t.equal(why('{}'), 'it is not an event envelope');
  t.equal(why(text, seq + 1), 'its number is not that of its place');
  t.equal(why(text.replace('pairing.rejected', 'pairing.invented')), 'it is of a type this program does not know');
  t.equal(why(text.replace('pairing.rejected', 'constructor')), 'it is of a type this program does not know');
  const personal = Buffer.concat([Buffer.alloc(16, 7), Buffer.from('{"address":"10.0.0.9"}')]);
  const sealed = text.replace(/}$/, `,"origin":"${createHash('sha256').update(personal).digest('hex')}"}`);
  t.equal(why(sealed, seq, personal), undefined);
  t.equal(why(sealed), undefined, 'personal data may have been erased');
  t.equal(why(text, seq, personal), 'its personal data is not what was recorded');
  t.equal(why(sealed, seq, Buffer.from(personal).fill(9, 0, 1)), 'its personal data is not what was recorded');
  t.equal(why(sealed, seq, Buffer.from('short')), 'its personal data cannot be read');
});
