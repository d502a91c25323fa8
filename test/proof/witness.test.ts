import fc from 'fast-check';
import t from 'tap';
import { openCheckpoint } from '../../src/proof/checkpoint.js';
import { consistencyProof } from '../../src/proof/tree-proof.js';
import { addCheckpoint, witnessAnswer } from '../../src/proof/witness.js';
import { right } from '../support/either.js';
import { checkpointOf, witnessVkey } from '../support/log.js';
import { grown, leavesOf } from '../support/tree.js';

const tree = grown(leavesOf(20));
const signed = checkpointOf(tree, 20);
const { note } = right(openCheckpoint(signed));
/** What witnesses would put under the checkpoint. */
const linesOf = (...witnesses: readonly number[]): string => checkpointOf(tree, 20, ...witnesses).slice(signed.length);
const answer = (status: number, body: string) => witnessAnswer(status, body, note, witnessVkey(1));

t.test('what a witness is asked', (t) => {
  const proof = consistencyProof(13, 20, tree.node);
  t.equal(
    addCheckpoint(13, proof, note),
    `old 13\n${proof.map((hash) => `${hash.toString('base64')}\n`).join('')}\n${signed}`,
  );
  t.equal(addCheckpoint(0, [], note), `old 0\n\n${signed}`);
  t.end();
});

t.test('it cosigned: lines of others are left out', (t) => {
  const cosigned = { kind: 'cosigned', at: 1_773_479_520_000, signatures: [{ name: 'witness.example/w1' }] };
  t.match(answer(200, linesOf(1)), cosigned);
  t.match(answer(200, linesOf(1, 2)), cosigned);
  t.match(answer(200, linesOf(2)), { kind: 'refused', why: 'its answer has no cosignature by its key' });
  const other = checkpointOf(tree, 19, 1).slice(checkpointOf(tree, 19).length);
  t.match(answer(200, other), { kind: 'refused', why: 'its cosignature does not verify' });
  t.match(answer(200, ''), { kind: 'refused', why: /^its answer cannot be read/ });
  t.match(answer(200, '<html>'), { kind: 'refused', why: /^its answer cannot be read/ });
  t.end();
});

t.test('it has another size, or another history', (t) => {
  t.same(answer(409, '13\n'), { kind: 'other size', size: 13 });
  t.same(answer(409, '0\n'), { kind: 'other size', size: 0 });
  t.match(answer(409, ''), { kind: 'refused', why: /two histories/ });
  t.match(answer(409, '20 or so\n'), { kind: 'refused' });
  t.match(answer(422, ''), { kind: 'refused', why: /two histories/ });
  t.end();
});

t.test('it does not want to', (t) => {
  t.match(answer(400, ''), { why: /malformed/ });
  t.match(answer(403, ''), { why: /not the key/ });
  t.match(answer(404, ''), { why: /does not know the log/ });
  t.match(answer(503, 'busy'), { kind: 'refused', why: 'it answered with the status 503' });
  t.end();
});

t.test('no answer makes it throw', (t) => {
  fc.assert(fc.property(fc.nat(999), fc.string({ unit: 'binary' }), (status, body) => void answer(status, body)));
  t.end();
});
