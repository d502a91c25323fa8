import { hash } from 'node:crypto';
import { type Event, eachTerm, partsOf, type Term, type TermKind, termKinds } from '../../events/index.js';

/*
 * The stored form of the index: for each term, lists of the numbers of the events that carry it, one list a batch. A key is 23 bytes:
 * one for the kind of the term, 16 for what it names, 6 for the first number; the value is the distances to the others. So what
 * came together lies together, keys have one length, and a term that half of all events carry costs one entry a batch, not one an event.
 * Two ids could share their 16 bytes, if they were not made by chance: whoever asks looks at the events that it is answered.
 */

const KEY_BYTES = 23;
const SEQ_AT = 17;
const ID_BYTES = 16;

/** Makes keys. Addresses are personal: only a salted hash of them is a key, so that they can be guessed at from a copy of the index but not read. */
export class TermKeys {
  private readonly written = Buffer.alloc(KEY_BYTES);
  private readonly hashed = new Map<string, Buffer>();

  constructor(readonly salt: Buffer) {}

  /** The key under which a list of this term that begins with `seq` is stored. */
  key(term: Term, seq: number): Buffer {
    return Buffer.from(this.scratch(...partsOf(term), seq));
  }

  /** The same, in bytes that the next one is written over. */
  scratch(kind: TermKind, id: string | number, seq: number): Buffer {
    const key = this.written;
    key.fill(0);
    key[0] = termKinds.indexOf(kind);
    if (kind === 'cause') key.writeUIntBE(Number(id), SEQ_AT - 6, 6);
    else if (!writeHex(String(id), key)) this.hashOf(`${kind}:${id}`).copy(key, 1);
    key.writeUIntBE(seq, SEQ_AT, 6);
    return key;
  }

  private hashOf(text: string): Buffer {
    const known = this.hashed.get(text);
    if (known !== undefined) return known;
    const made = hash('sha256', Buffer.concat([this.salt, Buffer.from(text)]), 'buffer').subarray(0, ID_BYTES);
    if (this.hashed.size >= HASHES_KEPT) this.hashed.clear();
    this.hashed.set(text, made);
    return made;
  }
}

const HASHES_KEPT = 4096;
const LEAST_DIGITS = 16;

/** Writes an id that is all hex digits, or a UUID: of a longer one the first 8 bytes and the last 8. False if it is neither. */
const writeHex = (id: string, key: Buffer): boolean => {
  if (id.length < LEAST_DIGITS) return false;
  const left = id.length - 2 * ID_BYTES;
  const cutAt = left > 4 ? ID_BYTES : id.length;
  let digits = 0;
  for (let at = 0; at < id.length; at++) {
    if (at === cutAt) at += left;
    const code = id.charCodeAt(at);
    if (code === DASH) continue;
    const value = code >= 48 && code <= 57 ? code - 48 : code >= 97 && code <= 102 ? code - 87 : -1;
    if (value === -1 || digits === 2 * ID_BYTES) {
      key.fill(0, 1, SEQ_AT);
      return false;
    }
    const byte = 1 + (digits >> 1);
    key[byte] = ((key[byte] ?? 0) << 4) | value;
    digits++;
  }
  return true;
};

const DASH = 45;

/** One list of one term, in the stored form. */
export interface Posting {
  readonly key: Buffer;
  readonly value: Buffer;
}

type List = number | number[];

/** The numbers of the events of a batch, by term. Most terms have but one. */
export class Lists {
  private readonly kinds = new Map<TermKind, Map<string | number, List>>();
  private seq = 0;
  private readonly tell: Parameters<typeof eachTerm>[1];

  constructor() {
    for (const kind of termKinds) this.kinds.set(kind, new Map());
    this.tell = (kind, id) => this.append(this.kinds.get(kind) ?? new Map(), id);
  }

  /** An event that comes after all before. */
  add(event: Event): void {
    this.seq = event.seq;
    eachTerm(event, this.tell);
  }

  private append(lists: Map<string | number, List>, id: string | number): void {
    const { seq } = this;
    const list = lists.get(id);
    if (list === undefined) lists.set(id, seq);
    else if (typeof list === 'number') {
      if (list !== seq) lists.set(id, [list, seq]);
    } else if (list[list.length - 1] !== seq) list.push(seq);
  }

  /** Kind by kind, in the order in which they came, which for ids of connections and for causes is that of their keys. A key is only good until the next. */
  *postings(keys: TermKeys): Iterable<Posting> {
    for (const [kind, lists] of this.kinds) {
      for (const [id, list] of lists) {
        if (typeof list === 'number') yield { key: keys.scratch(kind, id, list), value: NONE };
        else yield { key: keys.scratch(kind, id, list[0] ?? 0), value: distances(list) };
      }
    }
  }
}

const NONE = Buffer.alloc(0);

/** Distances between neighbours, as LEB128. */
const distances = (seqs: readonly number[]): Buffer => {
  const bytes: number[] = [];
  for (let i = 1; i < seqs.length; i++) {
    let distance = (seqs[i] ?? 0) - (seqs[i - 1] ?? 0);
    for (; distance > 0x7f; distance = Math.floor(distance / 128)) bytes.push((distance & 0x7f) | 0x80);
    bytes.push(distance);
  }
  return Buffer.from(bytes);
};

/** The numbers of a stored list, in order. */
export const seqsIn = (posting: Posting): readonly number[] => {
  const seqs: number[] = [];
  walk(posting, (seq) => seqs.push(seq));
  return seqs;
};

/** The last of them. */
export const lastIn = (posting: Posting): number => walk(posting, () => {});

/** A stored list without these of its numbers, in rising order; undefined if none is left. */
export const lessened = (posting: Posting, leaving: readonly number[]): Posting | undefined => {
  const left: number[] = [];
  let next = 0;
  walk(posting, (seq) => {
    if (seq === leaving[next]) next++;
    else left.push(seq);
  });
  const [first] = left;
  if (first === undefined) return undefined;
  const key = Buffer.from(posting.key);
  key.writeUIntBE(first, SEQ_AT, 6);
  return { key, value: distances(left) };
};

/** Shows each number of a stored list, in order, and returns the last. Lists are long: it is a loop and no generator. */
const walk = ({ key, value }: Posting, show: (seq: number) => void): number => {
  let seq = key.readUIntBE(SEQ_AT, 6);
  show(seq);
  let distance = 0;
  let weight = 1;
  for (const byte of value) {
    distance += (byte & 0x7f) * weight;
    weight *= 128;
    if (byte > 0x7f) continue;
    seq += distance;
    show(seq);
    distance = 0;
    weight = 1;
  }
  return seq;
};
