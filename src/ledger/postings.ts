import { hash } from 'node:crypto';
import type { Term } from '../../events/index.js';

/*
 * The stored form of the index: for each term, lists of the numbers of the events that carry it, one list a batch. A key is 23 bytes:
 * one for the kind of the term, 16 for what it names, 6 for the first number; the value is the distances to the others. So what
 * came together lies together, keys have one length, and a term that half of all events carry costs one entry a batch, not one an event.
 * Two ids could share their 16 bytes: whoever asks looks at the events that it is answered.
 */

const KEY_BYTES = 23;
const SEQ_AT = 17;

const KINDS = ['type', 'connection', 'device', 'credential', 'request', 'address', 'source', 'incident', 'cause'];
/** A subject without a kind of its own. */
const OTHER = KINDS.length;

const HEX = /^[0-9a-f]{16,}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Makes keys. Addresses are personal: only a salted hash of them is a key, so that they can be guessed at from a copy of the index but not read. */
export class TermKeys {
  /** Keys of what comes again and again: types, devices, credentials, addresses. */
  private readonly known = new Map<Term, Buffer>();

  constructor(readonly salt: Buffer) {}

  /** The key under which a list of this term that begins with `seq` is stored. */
  key(term: Term, seq: number): Buffer {
    const key = Buffer.allocUnsafe(KEY_BYTES);
    this.prefix(term).copy(key);
    key.writeUIntBE(seq, SEQ_AT, 6);
    return key;
  }

  private prefix(term: Term): Buffer {
    /* Of these there is a new one with each connection. */
    if (term.startsWith('connection:') || term.startsWith('cause:')) return this.made(term);
    const known = this.known.get(term);
    if (known !== undefined) return known;
    const made = this.made(term);
    if (this.known.size >= KNOWN) this.known.clear();
    this.known.set(term, made);
    return made;
  }

  private made(term: Term): Buffer {
    const at = term.indexOf(':');
    const kind = KINDS.indexOf(term.slice(0, Math.max(0, at)));
    const id = term.slice(at + 1);
    const prefix = Buffer.alloc(SEQ_AT);
    prefix[0] = kind === -1 ? OTHER : kind;
    if (KINDS[kind] === 'cause') prefix.writeUIntBE(Number(id), SEQ_AT - 6, 6);
    else if (UUID.test(id)) prefix.write(id.replaceAll('-', ''), 1, 'hex');
    else if (HEX.test(id)) prefix.write(id.slice(0, 32), 1, 'hex');
    else hash('sha256', Buffer.concat([this.salt, Buffer.from(term)]), 'buffer').copy(prefix, 1, 0, 16);
    return prefix;
  }
}

const KNOWN = 4096;

/** One list of one term. */
export interface Posting {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The lists of a batch in the order of their keys. `terms`: of each event, in log order. */
export const postingsOf = (
  batch: Iterable<{ readonly seq: number; readonly terms: readonly Term[] }>,
  keys: TermKeys,
): readonly Posting[] => {
  const lists = new Map<Term, number[]>();
  for (const { seq, terms } of batch) {
    for (const term of terms) {
      const list = lists.get(term);
      if (list === undefined) lists.set(term, [seq]);
      else list.push(seq);
    }
  }
  const postings: Posting[] = [];
  for (const [term, seqs] of lists) postings.push({ key: keys.key(term, seqs[0] ?? 0), value: distances(seqs) });
  return postings.sort((a, b) => Buffer.compare(a.key, b.key));
};

const NONE = Buffer.alloc(0);

/** Distances between neighbours, as LEB128. */
const distances = (seqs: readonly number[]): Buffer => {
  if (seqs.length === 1) return NONE;
  const bytes: number[] = [];
  for (let i = 1; i < seqs.length; i++) {
    let distance = (seqs[i] ?? 0) - (seqs[i - 1] ?? 0);
    for (; distance > 0x7f; distance = Math.floor(distance / 128)) bytes.push((distance & 0x7f) | 0x80);
    bytes.push(distance);
  }
  return Buffer.from(bytes);
};

/** The numbers of a stored list, in order. */
export function* seqsIn({ key, value }: Posting): Iterable<number> {
  let seq = key.readUIntBE(SEQ_AT, 6);
  yield seq;
  let distance = 0;
  let weight = 1;
  for (const byte of value) {
    distance += (byte & 0x7f) * weight;
    weight *= 128;
    if (byte > 0x7f) continue;
    seq += distance;
    yield seq;
    distance = 0;
    weight = 1;
  }
}
