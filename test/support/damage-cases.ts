import { rootAt } from '../../src/proof/merkle.js';
import { noteText, openNote, signNote } from '../../src/proof/note.js';
import { parsePolicy } from '../../src/proof/policy.js';
import { nodesOf } from '../../src/proof/tile.js';
import type { DamageClass } from '../../src/verify/damage.js';
import type { Leaf } from '../../src/verify/source.js';
import type { Against } from '../../src/verify/verify.js';
import { right } from './either.js';
import { ORIGIN, policyText } from './log.js';
import { checkpointFor, policy, type Recorded } from './recorded.js';
import { keyOf } from './tree.js';

/* What can be done to a log, and what is to be found of it, and where. */

/** Events of the log that these are done to. */
export const EVENTS = 700;

export interface Case {
  readonly name: string;
  readonly does: (log: Recorded) => Partial<Recorded> | undefined;
  readonly against?: Against;
  readonly finds: readonly { readonly class: DamageClass; readonly from?: number; readonly to?: number }[];
}

export const at = (log: Recorded, seq: number): Leaf => log.leaves[seq - 1] as Leaf;
export const changed = (leaf: Leaf): Leaf => ({
  ...leaf,
  bytes: Buffer.from(leaf.bytes.toString().replace('"v":1', '"v":2')),
});

/** The same size, another past: signed by the log itself. */
const rewritten = (log: Recorded): string => checkpointFor(log.size, Buffer.alloc(32, 1));

export const rootOfFirst = (log: Recorded, size: number): Buffer =>
  rootAt(
    size,
    nodesOf(({ level, index, width }) => (log.tiles.get(`${level}/${index}`) as Buffer).subarray(0, width * 32), size),
  );

/** A size within the third tile. */
const cutTo = (size: number, log: Recorded): Partial<Recorded> => {
  log.tiles.set('0/2', (log.tiles.get('0/2') as Buffer).subarray(0, (size - 512) * 32));
  return { size, root: rootOfFirst(log, size).toString('hex') };
};

export const signedBy = (n: number, text: string): string =>
  noteText({ text, signatures: [signNote(text, ORIGIN, keyOf(n))] });

export const cases: readonly Case[] = [
  { name: 'nothing', does: () => undefined, finds: [] },
  {
    name: 'an event is changed',
    does: (log) => void log.leaves.splice(299, 1, changed(at(log, 300))),
    finds: [{ class: 'leaf-changed', from: 300, to: 300 }],
  },
  {
    name: 'three neighbours are changed, and one far away',
    does: (log) => {
      for (const seq of [10, 11, 12, 600]) log.leaves[seq - 1] = changed(at(log, seq));
      return undefined;
    },
    finds: [
      { class: 'leaf-changed', from: 10, to: 12 },
      { class: 'leaf-changed', from: 600, to: 600 },
    ],
  },
  {
    name: 'an event is gone',
    does: (log) => void log.leaves.splice(299, 1, undefined),
    finds: [{ class: 'leaf-missing', from: 300, to: 300 }],
  },
  {
    name: 'an event is taken out, and the others moved up',
    does: (log) => void log.leaves.splice(299, 1),
    finds: [
      { class: 'leaf-missing', from: 300, to: 300 },
      { class: 'leaf-moved', from: 301, to: 699 },
      { class: 'truncated-tail', from: 700, to: 700 },
    ],
  },
  {
    name: 'an event is put in, and the others moved down',
    does: (log) => void log.leaves.splice(299, 0, changed(at(log, 300))),
    finds: [
      { class: 'leaf-inserted', from: 300, to: 300 },
      { class: 'leaf-moved', from: 301, to: 700 },
    ],
  },
  {
    name: 'two events are swapped',
    does: (log) => {
      [log.leaves[99], log.leaves[399]] = [at(log, 400), at(log, 100)];
      return undefined;
    },
    finds: [
      { class: 'leaf-moved', from: 100, to: 100 },
      { class: 'leaf-moved', from: 400, to: 400 },
    ],
  },
  {
    name: 'two neighbours are swapped',
    does: (log) => {
      [log.leaves[99], log.leaves[100]] = [at(log, 101), at(log, 100)];
      return undefined;
    },
    finds: [
      { class: 'leaf-moved', from: 100, to: 100 },
      { class: 'leaf-moved', from: 101, to: 101 },
    ],
  },
  {
    name: 'the tail is cut off',
    does: (log) => ({ leaves: log.leaves.slice(0, 650) }),
    finds: [{ class: 'truncated-tail', from: 651, to: 700 }],
  },
  {
    name: 'the log ends before its checkpoint',
    does: (log) => cutTo(650, log),
    finds: [{ class: 'truncated-tail', from: 651, to: 700 }],
  },
  {
    name: 'the log ends before its checkpoint, and an event in it is changed',
    does: (log) => {
      log.leaves[299] = changed(at(log, 300));
      return cutTo(650, log);
    },
    finds: [
      { class: 'leaf-changed', from: 300, to: 300 },
      { class: 'truncated-tail', from: 651, to: 700 },
    ],
  },
  {
    name: 'a hash of the tree is another',
    does: (log) => {
      const tile = Buffer.from(log.tiles.get('0/1') ?? '');
      tile[0] = (tile[0] ?? 0) ^ 1;
      log.tiles.set('0/1', tile);
      return undefined;
    },
    finds: [{ class: 'tile-mismatch', from: 257, to: 257 }],
  },
  {
    name: 'a tile is missing',
    does: (log) => void log.tiles.delete('0/1'),
    finds: [{ class: 'tile-mismatch', from: 257, to: 512 }],
  },
  {
    name: 'a tile is of the wrong length',
    does: (log) => void log.tiles.set('0/1', Buffer.alloc(31)),
    finds: [{ class: 'tile-mismatch', from: 257, to: 512 }],
  },
  {
    name: 'a tile has more hashes than there are events',
    does: (log) =>
      void log.tiles.set('0/2', Buffer.concat([log.tiles.get('0/2') ?? Buffer.alloc(0), Buffer.alloc(32)])),
    finds: [{ class: 'tile-mismatch', from: 513, to: 700 }],
  },
  {
    name: 'a tile above is another',
    does: (log) => void log.tiles.set('1/0', Buffer.alloc(64)),
    finds: [{ class: 'tile-mismatch', from: 1, to: 256 }],
  },
  {
    name: 'event and tree were made to agree',
    does: (log) => ({ checkpoint: rewritten(log) }),
    finds: [{ class: 'root-mismatch', from: 1, to: 700 }],
  },
  {
    name: 'there is no checkpoint',
    does: () => ({ checkpoint: undefined }),
    finds: [{ class: 'checkpoint-missing' }],
  },
  {
    name: 'the checkpoint has two blank lines',
    does: (log) => ({ checkpoint: log.checkpoint?.replace('\n\n', '\n\n\n') }),
    finds: [{ class: 'checkpoint-malformed' }],
  },
  {
    name: 'the checkpoint is signed by another key of the same name',
    does: (log) => ({ checkpoint: signedBy(9, right(openNote(log.checkpoint ?? '')).text) }),
    against: { policy },
    finds: [{ class: 'key-unknown' }],
  },
  {
    name: 'the signature was made over something else',
    does: (log) => ({ checkpoint: log.checkpoint?.replace('\n700\n', '\n699\n') }),
    against: { policy },
    finds: [{ class: 'signature-invalid' }],
  },
  {
    name: 'the policy asks for a witness',
    does: () => undefined,
    against: { policy: right(parsePolicy(policyText('quorum w1'))) },
    finds: [{ class: 'policy-not-met' }],
  },
  {
    name: 'personal data are others',
    does: (log) => {
      const seq = log.leaves.findIndex((leaf) => leaf?.origin) + 1;
      log.leaves[seq - 1] = { ...at(log, seq), origin: Buffer.from('0123456789abcdef{"address":"198.51.100.1"}') };
      return undefined;
    },
    finds: [{ class: 'origin-changed' }],
  },
  {
    name: 'personal data are gone',
    does: (log) => {
      const seq = log.leaves.findIndex((leaf) => leaf?.origin) + 1;
      log.leaves[seq - 1] = { ...at(log, seq), origin: undefined };
      return undefined;
    },
    finds: [{ class: 'origin-missing' }],
  },
];
