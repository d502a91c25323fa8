import t from 'tap';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { cosign, cosignedAt } from '../../src/proof/cosignature.js';
import { keyType, type Note, signNote, vkeyOf } from '../../src/proof/note.js';
import { right } from '../support/either.js';
import { checkpointOf, THEN, witnessVkey } from '../support/log.js';
import { grown, keyOf, leavesOf } from '../support/tree.js';

const NAME = 'witness.example/w1';
const tree = grown(leavesOf(10));
const open = (checkpoint: string): Note => right(openCheckpoint(checkpoint)).note;
const { text } = open(checkpointOf(tree, 10));
const withSignatures = (...signatures: Note['signatures']): Note => ({ text, signatures });

t.test('the example of the specification (C2SP tlog-cosignature)', (t) => {
  const { signatures } = open(
    'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
      '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n',
  );
  t.equal(signatures[1]?.bytes.length, 8 + 64);
  t.equal(signatures[1]?.bytes.readBigUInt64BE(), 1_679_315_147n);
  t.end();
});

t.test('when a witness cosigned, to the second', (t) => {
  const note = open(checkpointOf(tree, 10, 1, 2));
  t.equal(cosignedAt(note, witnessVkey(1)), 1_773_479_520_000);
  t.equal(cosignedAt(note, witnessVkey(2)), 1_773_479_580_000);
  t.equal(cosignedAt(note, witnessVkey(3)), undefined);
  t.end();
});

t.test('the earliest of several; but all have to verify', (t) => {
  const vkey = witnessVkey(1);
  const [later, earlier] = [THEN + 5000, THEN].map((at) => cosign(text, at, NAME, keyOf(101)));
  if (later === undefined || earlier === undefined) throw new Error('not cosigned');
  t.equal(cosignedAt(withSignatures(later, earlier), vkey), 1_773_479_520_000);
  const backdated = { ...later, bytes: Buffer.from(later.bytes) };
  backdated.bytes.writeBigUInt64BE(1n);
  t.equal(cosignedAt(withSignatures(backdated), vkey), undefined);
  t.equal(cosignedAt(withSignatures(earlier, backdated), vkey), undefined);
  t.equal(cosignedAt({ ...withSignatures(earlier), text: text.replace('10', '11') }, vkey), undefined);
  t.end();
});

t.test('what cannot be a cosignature', (t) => {
  const vkey = witnessVkey(1);
  const signature = cosign(text, THEN, NAME, keyOf(101));
  for (const bytes of [signature.bytes.subarray(0, 5), signature.bytes.subarray(1), Buffer.alloc(72, 0xff)])
    t.equal(cosignedAt(withSignatures({ ...signature, bytes }), vkey), undefined);
  const asLog = vkeyOf(NAME, keyType.note, keyOf(101));
  t.equal(
    cosignedAt(withSignatures(signNote(text, NAME, keyOf(101))), asLog),
    undefined,
    'the signature of a log is none',
  );
  t.equal(cosignedAt(withSignatures({ ...signature, id: asLog.id }), asLog), undefined);
  t.end();
});
