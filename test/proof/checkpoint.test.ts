import fc from 'fast-check';
import t from 'tap';
import { checkpointText, openCheckpoint, parseCheckpoint } from '../../src/proof/checkpoint.js';
import { right } from '../support/either.js';

/* The example of the specification (C2SP tlog-checkpoint). */
const SOFA =
  'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
  '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n';
const [TEXT = ''] = SOFA.split('\n—', 1);
const ROOT = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';

t.test('a checkpoint that others signed', (t) => {
  const { note, checkpoint } = right(openCheckpoint(SOFA));
  t.same(checkpoint, {
    origin: 'example.com/behind-the-sofa',
    size: 20_852_163,
    root: Buffer.from('0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62', 'hex'),
  });
  t.match(note.signatures, [{ name: 'example.com/behind-the-sofa', id: 0x033de0ae }]);
  t.equal(checkpointText(checkpoint), TEXT);
  t.end();
});

t.test('further lines are carried along', (t) => {
  const checkpoint = right(parseCheckpoint(`${TEXT}one more\nand another\n`));
  t.same(checkpoint.extensions, ['one more', 'and another']);
  t.equal(checkpointText(checkpoint), `${TEXT}one more\nand another\n`);
  t.end();
});

t.test('checkpoints that are none', (t) => {
  const refused: readonly [text: string, why: RegExp][] = [
    ['', /does not end in a newline/],
    [TEXT.slice(0, -1), /does not end in a newline/],
    [`\n1\n${ROOT}\n`, /without an origin/],
    ['log\n', /not a size/],
    [`log\n01\n${ROOT}\n`, /not a size/],
    [`log\n-1\n${ROOT}\n`, /not a size/],
    [`log\n9007199254740992\n${ROOT}\n`, /not a size/],
    ['log\n1\n', /not a root/],
    [`log\n1\n${ROOT.slice(0, -1)}\n`, /not a root/],
    [`log\n1\n${ROOT} \n`, /not a root/],
    [`log\n1\n${ROOT.replace('2I=', '2J=')}\n`, /not a root/],
    [`log\n1\n${Buffer.alloc(20).toString('base64')}\n`, /not a root/],
    [`log\n1\n${ROOT}\n\n`, /with an empty line/],
    [`log\n1\n${ROOT}\n\nmore\n`, /with an empty line/],
  ];
  for (const [text, why] of refused) t.match(parseCheckpoint(text), { left: why }, JSON.stringify(text));
  t.match(openCheckpoint(TEXT), { left: /without an empty line/ });
  t.match(openCheckpoint(`no checkpoint\n${SOFA.slice(TEXT.length)}`), { left: /not a size/ });
  t.end();
});

t.test('round trips, and nothing throws', (t) => {
  const line = fc.string({ minLength: 1 }).map((text) => text.replaceAll('\n', '-'));
  const root = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
  const extensions = fc.array(line, { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.record({ origin: line, size: fc.maxSafeNat(), root, extensions }), (checkpoint) => {
      t.same(right(parseCheckpoint(checkpointText(checkpoint))), checkpoint);
    }),
    { numRuns: 100 },
  );
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseCheckpoint(text)));
  fc.assert(
    fc.property(fc.array(fc.constantFrom('log', '1', ROOT, '')), (lines) => void parseCheckpoint(lines.join('\n'))),
  );
  t.end();
});
