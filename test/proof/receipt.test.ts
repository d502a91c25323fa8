import { hash } from 'node:crypto';
import fc from 'fast-check';
import { isRight } from 'fp-ts/lib/Either.js';
import t from 'tap';
import { parsePolicy } from '../../src/proof/policy.js';
import { checkReceipt, enclosed, parseReceipt, type Receipt, receiptText } from '../../src/proof/receipt.js';
import { inclusionProof } from '../../src/proof/tree-proof.js';
import { right } from '../support/either.js';
import { checkpointOf, ORIGIN, policyText, receiptOf } from '../support/log.js';
import { grown, leavesOf } from '../support/tree.js';

const SIZE = 300;
const tree = grown(leavesOf(SIZE));
const leafAt = (index: number): Buffer => tree.leaves[index] as Buffer;
const trusting = right(parsePolicy(policyText()));
const witnessed = right(parsePolicy(policyText('group g 2 w1 w2 w3\nquorum g')));

t.test('a receipt and a policy are all it takes', (t) => {
  t.match(right(checkReceipt(receiptOf(tree, 123, SIZE, 1, 3), witnessed)), {
    origin: ORIGIN,
    size: SIZE,
    index: 123,
    leaf: leafAt(123),
    log: { name: ORIGIN },
    cosigned: [{ witness: 'w1' }, { witness: 'w3' }],
    since: 1_773_479_580_000,
  });
  t.end();
});

t.test('a receipt that encloses nothing needs the event', (t) => {
  const bare = receiptText({ ...right(parseReceipt(receiptOf(tree, 7, SIZE))), extra: undefined });
  t.match(checkReceipt(bare, trusting), { left: { step: 'entry', why: /encloses no event/ } });
  t.match(checkReceipt(bare, trusting, leafAt(7)), { right: { index: 7, leaf: leafAt(7) } });
  t.match(checkReceipt(bare, trusting, leafAt(8)), {
    left: { step: 'inclusion', why: 'this is not leaf 7 of the log' },
  });
  t.end();
});

t.test('each step has its way of failing, and they come in order', (t) => {
  const receipt = right(parseReceipt(receiptOf(tree, 7, SIZE, 1, 2)));
  const checked = (changes: Partial<Receipt>) => checkReceipt(receiptText({ ...receipt, ...changes }), witnessed);
  const cosignatures = receipt.checkpoint.split(/(?=^— )/m);

  t.match(checked({ checkpoint: 'nothing\n' }), { left: { step: 'format', why: /without an empty line/ } });
  t.match(checked({ checkpoint: receipt.checkpoint.replace(/\n300\n/, '\n0300\n') }), {
    left: { step: 'format', why: /not a size/ },
  });
  t.match(checked({ extra: Buffer.from('{"seq":8}') }), { left: { step: 'entry', why: /is no event/ } });
  t.match(checked({ extra: enclosed(Buffer.alloc(70_000)) }), { left: { step: 'entry', why: /is no event/ } });
  t.match(checked({ checkpoint: receipt.checkpoint.replace(/\n300\n/, '\n301\n') }), {
    left: { step: 'log signature', why: 'the signature of the log does not verify' },
  });
  t.match(checked({ checkpoint: cosignatures.slice(0, 3).join('') }), {
    left: { step: 'cosignatures', why: /quorum is not met/ },
  });
  t.match(checked({ extra: enclosed(leafAt(8)) }), {
    left: { step: 'inclusion', why: 'this is not leaf 7 of the log (the event enclosed in "extra")' },
  });
  t.match(checked({ index: 8 }), { left: { step: 'inclusion', why: /not leaf 8/ } });
  t.match(checked({ index: SIZE }), { left: { step: 'inclusion', why: 'index 300 is not in a tree of 300' } });
  t.match(checked({ proof: receipt.proof.slice(1) }), { left: { step: 'inclusion' } });
  t.match(checked({ index: 8, extra: enclosed(leafAt(8)) }), { left: { step: 'inclusion' } });
  const older = checkpointOf(tree, SIZE - 1, 1, 2);
  t.match(checked({ checkpoint: older }), { left: { step: 'inclusion' } }, 'the proof is for the tree it was made for');
  t.end();
});

t.test('receipts that are none', (t) => {
  const receipt = receiptOf(tree, 7, SIZE);
  const [header = '', extra = '', index = '', hash = ''] = receipt.split('\n');
  const refused: readonly [text: string, why: RegExp][] = [
    ['', /without an empty line/],
    [receipt.replaceAll('\n\n', '\n'), /without an empty line/],
    [receipt.replace('@v1', '@v2'), /does not begin with c2sp.org\/tlog-proof@v1/],
    [receipt.replaceAll('\n', '\r\n'), /without an empty line/],
    [receipt.replace(extra, 'extra !'), /extra data is not base64/],
    [receipt.replace(extra, `${extra}\n${extra}`), /without a line "index"/],
    [receipt.replace(index, 'index 007'), /without a line "index"/],
    [receipt.replace(index, 'index -7'), /without a line "index"/],
    [receipt.replace(index, 'index 9007199254740992'), /without a line "index"/],
    [receipt.replace(`${index}\n`, ''), /without a line "index"/],
    [receipt.replace(`${extra}\n${index}`, `${index}\n${extra}`), /hash 1 of the receipt/],
    [receipt.replace(hash, hash.slice(4)), /hash 1 of the receipt/],
    [receipt.replace(hash, `${hash}\n `), /hash 2 of the receipt/],
    [`${header}\n\n${checkpointOf(tree, SIZE)}`, /without a line "index"/],
    ['x'.repeat(2_000_000), /more than 1200000 bytes/],
  ];
  for (const [text, why] of refused) t.match(parseReceipt(text), { left: why }, `${why}`);
  t.end();
});

t.test('round trips', (t) => {
  const bytes = (minLength: number, maxLength: number) =>
    fc.uint8Array({ minLength, maxLength }).map((bytes) => Buffer.from(bytes));
  const receipt = fc.record(
    {
      extra: bytes(0, 200),
      index: fc.maxSafeNat(),
      proof: fc.array(bytes(32, 32), { maxLength: 53 }),
      checkpoint: fc.string({ unit: 'grapheme' }),
    },
    { requiredKeys: ['index', 'proof', 'checkpoint'] },
  );
  fc.assert(fc.property(receipt, (receipt) => void t.same(right(parseReceipt(receiptText(receipt))), receipt)));
  t.end();
});

t.test('whatever is changed in a receipt, it proves nothing else', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: SIZE }),
      fc.nat(),
      fc.nat(),
      fc.string(),
      fc.nat(2),
      (size, i, at, put, cut) => {
        const index = i % size;
        const receipt = receiptOf(tree, index, size, 1, 2);
        const place = at % receipt.length;
        const changed = receipt.slice(0, place) + put + receipt.slice(place + cut);
        const answer = checkReceipt(changed, witnessed);
        return (
          isRight(checkReceipt(receipt, witnessed)) && (!isRight(answer) || answer.right.leaf.equals(leafAt(index)))
        );
      },
    ),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('no text makes it throw', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void checkReceipt(text, witnessed)));
  const line = fc.constantFrom(...receiptOf(tree, 7, SIZE, 1, 2).split('\n'), 'index 0', 'extra ', 'extra eJw=');
  fc.assert(fc.property(fc.array(line, { maxLength: 20 }), (lines) => void checkReceipt(lines.join('\n'), witnessed)));
  t.end();
});

t.test('one of a million events fits in 2 KB', (t) => {
  const id = (n: number): string => hash('sha256', `id ${n}`);
  const event = JSON.stringify({
    seq: 654_321,
    at: 1_773_479_520_250,
    type: 'pairing.approved',
    v: 1,
    subject: `device:${id(1)}`,
    actor: { kind: 'connection', connection: id(2).slice(0, 36), device: id(3), credential: id(4).slice(0, 16) },
    cause: 654_300,
    data: {
      requestId: id(5).slice(0, 36),
      device: id(1),
      publicKey: Buffer.from(id(6), 'hex').toString('base64url'),
      roles: ['operator'],
      scopes: ['operator.read', 'operator.write'],
      client: { id: 'cli', mode: 'cli', platform: 'linux', version: '2026.3.2' },
    },
    origin: id(7),
  });
  t.ok(event.length >= 700, `${event.length} bytes`);
  const proof = inclusionProof(654_321, 1_000_000, (height, index) => hash('sha256', `${height}/${index}`, 'buffer'));
  const sizes = [[], [1], [1, 2]].map((witnesses) => {
    const checkpoint = checkpointOf({ ...tree, rootAt: () => proof[0] as Buffer }, 1_000_000, ...witnesses);
    return Buffer.byteLength(receiptText({ extra: enclosed(Buffer.from(event)), index: 654_321, proof, checkpoint }));
  });
  t.comment(`with none, one and two cosignatures: ${sizes.join(', ')} bytes`);
  t.equal(proof.length, 20);
  t.ok(Math.max(...sizes) < 2048);
  t.end();
});
