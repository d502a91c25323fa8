import t from 'tap';
import { bytesIn, hashIn, numberIn } from '../../src/proof/fields.js';

t.test('a number is written in one way', (t) => {
  t.equal(numberIn('0'), 0);
  t.equal(numberIn('20852163'), 20852163);
  t.equal(numberIn('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const text of [
    '',
    '00',
    '01',
    '-1',
    '+1',
    '1.0',
    '1e3',
    ' 1',
    '1\n',
    '９',
    '9007199254740992',
    '99999999999999999',
  ])
    t.equal(numberIn(text), undefined, JSON.stringify(text));
  t.end();
});

t.test('so are bytes', (t) => {
  t.same(bytesIn(''), Buffer.alloc(0));
  t.same(bytesIn('+/8='), Buffer.of(0xfb, 0xff));
  for (const text of ['+/8', '-_8=', '+/9=', '+/8=\n', ' +/8=', '+/8==', '=', 'A', '+/8=+/8='])
    t.equal(bytesIn(text), undefined, JSON.stringify(text));
  t.end();
});

t.test('a hash has 32 of them', (t) => {
  t.equal(hashIn(Buffer.alloc(32).toString('base64'))?.length, 32);
  t.equal(hashIn(Buffer.alloc(31).toString('base64')), undefined);
  t.equal(hashIn(''), undefined);
  t.end();
});
