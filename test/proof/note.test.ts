import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import t from 'tap';
import {
  claimedBy,
  keyType,
  noteKeyId,
  noteText,
  openNote,
  parseVkey,
  signedBy,
  signNote,
  vkeyOf,
  vkeyText,
} from '../../src/proof/note.js';
import { right } from '../support/either.js';
import { keyOf } from '../support/tree.js';

/* The example of the Go implementation (golang.org/x/mod/sumdb/note), and that of the specification. */

const NEUMANN = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const THINK =
  'If you think cryptography is the answer to your problem,\n' +
  "then you don't know what your problem is.\n" +
  '\n' +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const SALVATORE =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n' +
  '\n' +
  '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';

t.test('a note that others signed', (t) => {
  const vkey = right(parseVkey(NEUMANN));
  t.match(vkey, { name: 'PeterNeumann', id: 0xc74f20a3, type: 1 });
  t.equal(vkeyText(vkey), NEUMANN);
  const note = right(openNote(THINK));
  t.ok(signedBy(note, vkey));
  t.equal(noteText(note), THINK);
  t.notOk(signedBy({ ...note, text: note.text.replace('answer', 'answers') }, vkey));
  t.notOk(signedBy(note, vkeyOf('PeterNeumann', keyType.note, keyOf(1))));
  t.end();
});

t.test('an empty line belongs to the text, unless it is the last', (t) => {
  const note = right(openNote(SALVATORE));
  t.equal(note.text, 'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n');
  t.match(note.signatures, [{ name: 'quasimodo.example/salvatore', id: 0x367ba04b }]);
  t.equal(noteText(note), SALVATORE);
  t.same(right(openNote(Buffer.from(SALVATORE))), note);
  t.end();
});

t.test('what we sign', (t) => {
  const text = 'anything\n\nat all\n';
  const [ours, other] = ['example.com/log', 'example.com/other'].map((name) => signNote(text, name, keyOf(1)));
  if (ours === undefined || other === undefined) throw new Error('unsigned');
  const vkey = vkeyOf('example.com/log', keyType.note, createPublicKey(keyOf(1)));
  t.same(right(parseVkey(vkeyText(vkey))), vkey);
  const note = right(openNote(noteText({ text, signatures: [other, ours] })));
  t.ok(signedBy(note, vkey));
  t.same(claimedBy(note, vkey), [ours]);
  const forged = { ...ours, bytes: Buffer.alloc(64) };
  t.notOk(signedBy({ text, signatures: [other] }, vkey), 'a key is known by its name, too');
  t.notOk(signedBy({ text, signatures: [ours, forged] }, vkey), 'one that does not verify spoils the note');
  t.notOk(signedBy({ text, signatures: [{ ...ours, bytes: ours.bytes.subarray(1) }] }, vkey), 'cut short');
  t.notOk(signedBy(note, { ...vkey, type: keyType.cosignature }), 'a key of a witness signs no notes');
  for (const unsignable of ['no newline', 'a\ttab\n', 'half of a \ud800 pair\n'])
    t.throws(() => signNote(unsignable, 'example.com/log', keyOf(1)), { message: 'not the text of a note' });
  t.throws(() => signNote(text, 'two words', keyOf(1)), { message: /neither spaces nor/ });
  t.throws(() => signNote(text, 'example.com/log', generateKeyPairSync('ed448').privateKey), {
    message: /not an Ed25519/,
  });
  t.end();
});

t.test('verifier keys that are none', (t) => {
  const vkey = vkeyOf('example.com/log', keyType.note, keyOf(1));
  const encoded = (...bytes: readonly (number | Buffer)[]) =>
    Buffer.concat(bytes.map((part) => (typeof part === 'number' ? Buffer.of(part) : part))).toString('base64');
  const id = (type: number, key: Buffer) => noteKeyId('log', type, key).toString(16).padStart(8, '0');
  const { key } = vkey;
  const refused: readonly [text: string, why: RegExp][] = [
    ['', /not a verifier key/],
    ['example.com/log', /not a verifier key/],
    [`two words+${id(1, key)}+${encoded(1, key)}`, /not a verifier key/],
    [`log+${id(1, key).toUpperCase()}X+${encoded(1, key)}`, /not a verifier key/],
    [`log+${id(1, key)}+${encoded(1, key)}=`, /not base64/],
    [`log+${id(1, key)}+`, /not a verifier key/],
    [`log+${id(6, key)}+${encoded(6, key)}`, /of type 6; known are 1/],
    [`log+${id(1, key.subarray(1))}+${encoded(1, key.subarray(1))}`, /of 31 bytes instead of 32/],
    [`log+00000000+${encoded(1, key)}`, /whose id is [0-9a-f]{8} and not 00000000/],
    [`log+${id(1, key)}+${encoded(4, key)}`, /whose id is/],
  ];
  for (const [text, why] of refused) t.match(parseVkey(text), { left: why }, text);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => isLeft(parseVkey(text))));
  t.end();
});

t.test('notes that are none', (t) => {
  const [text = '', line = ''] = THINK.split('\n\n');
  const refused: readonly [note: string | Buffer, why: RegExp][] = [
    ['', /without an empty line/],
    [`${text}\n${line}`, /without an empty line/],
    [`${text}\n\n`, /do not end in a newline/],
    [`${text}\n\n${line.trimEnd()}`, /do not end in a newline/],
    [`${text}\n\n${line}\n`, /do not end in a newline/],
    [`${text}\n\n${line.replace('—', '-')}`, /signature 1 is not/],
    [`${text}\n\n${line}${line.replace('PeterNeumann', 'Peter+Neumann')}`, /signature 2 is not/],
    [`${text}\n\n${line.replace('PeterNeumann', 'Peter\u00a0Neumann')}`, /signature 1 is not/],
    [`${text}\n\n${line.replace('PeterNeumann ', 'Peter Neumann ')}`, /signature 1 is not/],
    [`${text}\n\n${line.replace('x08', ' x08')}`, /signature 1 is not/],
    [`${text}\n\n${line.replace('nAM=', 'nAN=')}`, /signature 1 is not/],
    [`${text}\n\n— PeterNeumann x08gow==\n`, /signature 1 is not/],
    [THINK.replace('you', 'y\tu'), /control characters/],
    [THINK.replaceAll('\n', '\r\n'), /control characters/],
    [THINK.replace('you', '\0'), /control characters/],
    [THINK.replace('you', '\udc00'), /not UTF-8/],
    [Buffer.concat([Buffer.of(0xff), Buffer.from(THINK)]), /not UTF-8/],
    [`${text}\n\n${line.repeat(101)}`, /more than 100 signatures/],
    ['a'.repeat(1_000_001), /more than 1000000 bytes/],
  ];
  for (const [note, why] of refused) t.match(openNote(note), { left: why }, `${why}`);
  t.equal(right(openNote(`${text}\n\n${line.repeat(100)}`)).signatures.length, 100);
  t.end();
});

t.test('round trips of any text by any names', (t) => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no note has them.
  const text = fc.string({ unit: 'grapheme' }).map((text) => `${text.replace(/[\u0000-\u0009\u000b-\u001f]/g, '')}\n`);
  const name = fc
    .string({ unit: 'grapheme', minLength: 1 })
    .map((name) => `x${name.replace(/[\s\p{White_Space}\p{Cc}+]/gu, '')}`);
  fc.assert(
    fc.property(text, fc.array(name, { minLength: 1, maxLength: 5 }), (text, names) => {
      const note = { text, signatures: names.map((name, at) => signNote(text, name, keyOf(at))) };
      const opened = right(openNote(noteText(note)));
      return (
        opened.text === text &&
        names.every((name, at) => signedBy(opened, right(parseVkey(vkeyText(vkeyOf(name, keyType.note, keyOf(at)))))))
      );
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('no text and no bytes make it throw', (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void openNote(text)));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => void openNote(Buffer.from(bytes))));
  const piece = fc.constantFrom('\n', '\n\n', '— ', 'name', ' ', 'AAAAAAAA', '=', '+', 'é', '\t');
  fc.assert(fc.property(fc.array(piece), (pieces) => void openNote(pieces.join(''))));
  t.end();
});
