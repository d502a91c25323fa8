import fc from 'fast-check';
import t from 'tap';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { judge } from '../../src/proof/judgement.js';
import { keyType, vkeyOf, vkeyText } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { right } from '../support/either.js';
import { checkpointOf, LOG_VKEY, ORIGIN, policyText, witnessVkey } from '../support/log.js';
import { grown, keyOf, leavesOf } from '../support/tree.js';

const log = `log ${vkeyText(LOG_VKEY)}`;
const witness = (n: number, name = `w${n}`): string => `witness ${name} ${vkeyText(witnessVkey(n))}`;

t.test('the file of the specification, with its two levels of groups', (t) => {
  const policy = right(
    parsePolicy(`
# Who may say that a log is this long
${log} https://gateway.example/

${witness(1, 'X1')}
${witness(2, 'X2')}
\t${witness(3, 'X3')}   https://witness.example/w3\t
group X-witnesses 2 X1 X2 X3

${witness(4, 'Y1')}
${witness(5, 'Y2')}
${witness(6, 'Y3')}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`),
  );
  t.match(policy.logs, [{ vkey: { name: ORIGIN }, url: 'https://gateway.example/' }]);
  t.same(
    policy.witnesses.map(({ name }) => name),
    ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'],
  );
  t.equal(policy.witnesses[2]?.url, 'https://witness.example/w3');
  t.match(policy.quorum, {
    name: 'X-and-Y',
    needed: 2,
    members: [
      { name: 'X-witnesses', needed: 2, members: [{ name: 'X1' }, { name: 'X2' }, { name: 'X3' }] },
      { name: 'Y-witnesses', needed: 1 },
    ],
  });
  t.end();
});

t.test('a name may be anything without a space', (t) => {
  const policy = right(parsePolicy(`${log}\n${witness(1, 'zeuge-für-alles')}\nquorum zeuge-für-alles`));
  t.match(policy.quorum, { kind: 'witness', name: 'zeuge-für-alles' });
  t.end();
});

t.test('every mistake is named with its line', (t) => {
  const other = vkeyText(vkeyOf('gateway.example/other', keyType.note, keyOf(1)));
  const w12 = `${witness(1)}\n${witness(2)}`;
  const refused: readonly [text: string, why: RegExp][] = [
    ['', /^line 1: the policy ends without a quorum/],
    [`${log}\n`, /^line 2: the policy ends without a quorum/],
    ['quorum none', /^line 1: the policy ends without a log/],
    [`${log}\r\nquorum none`, /^line 1: a control character/],
    ['logs x', /^line 1: begins with none of/],
    ['log', /^line 1: log <vkey>/],
    [`${log} url more`, /^line 1: log <vkey>/],
    ['\n# a comment\nlog nonsense', /^line 3: not a verifier key/],
    [`log ${vkeyText(witnessVkey(1))}`, /^line 1: the key of a log has the type 1/],
    [`${log}\nlog ${other}`, /^line 2: this key is that of a log above/],
    ['witness w1', /^line 1: witness <name>/],
    [`witness w1 ${vkeyText(LOG_VKEY)}`, /^line 1: the key of a witness has the type 4/],
    [`${witness(1)}\n${witness(1, 'again')}`, /^line 2: this key is that of a witness above/],
    [`${witness(1)}\n${witness(2, 'w1')}`, /^line 2: something above is called w1/],
    [witness(1, 'none'), /^line 1: none is a name for no witness/],
    [`${w12}\ngroup none any w1`, /^line 3: none is a name for no witness/],
    [`${w12}\ngroup w1 any w2`, /^line 3: something above is called w1/],
    [`${w12}\ngroup g any`, /^line 3: group <name>/],
    [`${w12}\ngroup g 0 w1 w2`, /^line 3: a group needs all, any, or a number from 1 to 2/],
    [`${w12}\ngroup g 3 w1 w2`, /^line 3: a group needs all, any/],
    [`${w12}\ngroup g 01 w1 w2`, /^line 3: a group needs all, any/],
    [`${w12}\ngroup g most w1 w2`, /^line 3: a group needs all, any/],
    [`${w12}\ngroup g any w3`, /^line 3: no witness or group above is called w3/],
    [`${w12}\ngroup g any none`, /^line 3: no witness or group above is called none/],
    [`${w12}\ngroup g any w1 w1`, /^line 3: w1 is a member already/],
    [`${w12}\ngroup g any w1\ngroup h any w1 w2`, /^line 4: w1 is a member already/],
    [`${w12}\ngroup g any g`, /^line 3: no witness or group above is called g/],
    [`quorum w1\n${w12}`, /^line 1: no witness or group above is called w1/],
    ['quorum', /^line 1: quorum <name>/],
    ['quorum none none', /^line 1: quorum <name>/],
    ['quorum none\nquorum none', /^line 2: a second quorum/],
    ['#'.repeat(300_000), /more than 262144 bytes/],
  ];
  for (const [text, why] of refused) t.match(parsePolicy(text), { left: why }, JSON.stringify(text.slice(-60)));
  t.end();
});

t.test('it is large enough for 128 of each, and no larger', (t) => {
  const many = (count: number) =>
    Array.from(
      { length: count },
      (_, n) => `witness w${n} ${vkeyText(vkeyOf(`w${n}`, keyType.cosignature, keyOf(n)))}`,
    );
  const logs = (count: number) =>
    Array.from({ length: count }, (_, n) => `log ${vkeyText(vkeyOf(`l${n}`, keyType.note, keyOf(n)))}`);
  t.equal(right(parsePolicy([...logs(128), ...many(128), 'quorum none'].join('\n'))).witnesses.length, 128);
  t.match(parsePolicy(logs(129).join('\n')), { left: 'line 129: more than 128 logs' });
  t.match(parsePolicy(many(129).join('\n')), { left: 'line 129: more than 128 witnesses and groups' });
  t.end();
});

t.test('no text makes it throw', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parsePolicy(text)));
  const word = fc.constantFrom(
    'log',
    'witness',
    'group',
    'quorum',
    'any',
    'all',
    '2',
    'a',
    'b',
    'none',
    '\n',
    log,
    witness(1),
  );
  fc.assert(fc.property(fc.array(word, { maxLength: 40 }), (words) => void parsePolicy(words.join(' '))));
  t.end();
});

const tree = grown(leavesOf(20));
const MINUTE = 60_000;
const FIRST = 1_773_479_520_000;
const judged = (quorum: string, checkpoint: string) =>
  judge(right(parsePolicy(policyText(quorum))), right(openCheckpoint(checkpoint)));

t.test('who is believed, and since when', (t) => {
  const cosigned = (...witnesses: readonly number[]) => checkpointOf(tree, 20, ...witnesses);
  t.match(judged('quorum none', cosigned()), { right: { log: { name: ORIGIN }, cosigned: [], since: undefined } });
  t.match(judged('quorum w1', cosigned(1)), { right: { cosigned: [{ witness: 'w1', at: FIRST }], since: FIRST } });
  t.match(judged('group g any w1 w2 w3\nquorum g', cosigned(3, 1)), { right: { since: FIRST } });
  t.match(judged('group g 2 w1 w2 w3\nquorum g', cosigned(2, 1, 3)), { right: { since: FIRST + MINUTE } });
  t.match(judged('group g all w1 w2 w3\nquorum g', cosigned(3, 2, 1)), { right: { since: FIRST + 2 * MINUTE } });
  t.match(judged('group g any w1 w2\ngroup h all g w3\nquorum h', cosigned(3, 1)), {
    right: { since: FIRST + MINUTE },
  });
  t.match(judged('group g 2 w1 w2 w3\nquorum g', cosigned(2, 9)), {
    left: { step: 'cosignatures', why: 'the quorum is not met: g (2 of w1, w2, w3); cosigned by w2' },
  });
  t.match(judged('quorum w1', cosigned()), { left: { why: 'the quorum is not met: w1; cosigned by nobody' } });
  t.end();
});

t.test('who is not', (t) => {
  const signed = checkpointOf(tree, 20, 1);
  const [text = '', log = '', cosignature = ''] = signed.split(/(?=^— )/m);
  const broken = (line: string) =>
    line.replace(/..==?\n$/, (end) => (end.startsWith('A') ? `B${end.slice(1)}` : `A${end.slice(1)}`));
  t.match(judged('quorum none', `${text}${cosignature}`), { left: { step: 'log signature', why: /signed by no key/ } });
  t.match(judged('quorum none', `${text.replace('20', '19')}${log}`), {
    left: { step: 'log signature', why: /does not verify/ },
  });
  t.match(judged('quorum none', `${text}${log}${broken(log)}`), {
    left: { step: 'log signature', why: /does not verify/ },
  });
  t.match(judged('quorum none', `${text.replace(ORIGIN, 'another')}${log}`), {
    left: { step: 'log signature', why: /no log of this/ },
  });
  t.match(judged('quorum none', `${text}${log}${broken(cosignature)}`), {
    left: { step: 'cosignatures', why: 'the cosignature of w1 does not verify' },
  });
  t.end();
});
