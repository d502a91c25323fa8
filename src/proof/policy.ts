import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { limits } from '../limits.js';
import { keyType, parseVkey, type Vkey, vkeyText } from './note.js';

/*
 * Whom to believe (C2SP tlog-policy): logs, witnesses, groups of witnesses, and who of them has to have cosigned. A file of lines:
 *
 *   log <vkey> [<url>]
 *   witness <name> <vkey> [<url>]
 *   group <name> all|any|<k> <name>...
 *   quorum <name>|none
 */

/** Whose word is needed. Each name is a member once, so that this is a tree and no witness counts twice. */
export type Quorum =
  | { readonly kind: 'none' }
  | { readonly kind: 'witness'; readonly name: string; readonly vkey: Vkey; readonly url?: string | undefined }
  | { readonly kind: 'group'; readonly name: string; readonly needed: number; readonly members: readonly Quorum[] };

export type Witness = Quorum & { readonly kind: 'witness' };

export interface PolicyLog {
  readonly vkey: Vkey;
  readonly url?: string | undefined;
}

export interface Policy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly Witness[];
  readonly quorum: Quorum;
}

/** Reads the file of whoever checks. The left names the line, and what is wrong with it. */
export const parsePolicy = (text: string): Either<string, Policy> => {
  if (text.length > limits.proof.policyBytes) return E.left(`a policy of more than ${limits.proof.policyBytes} bytes`);
  const draft = new Draft();
  const lines = text.split('\n');
  for (const [at, line] of lines.entries()) {
    const wrong = draft.read(line);
    if (wrong !== undefined) return E.left(`line ${at + 1}: ${wrong}`);
  }
  const { logs, witnesses, quorum } = draft;
  if (quorum === undefined)
    return E.left(`line ${lines.length}: the policy ends without a quorum; "quorum none" asks for none`);
  if (logs.length === 0) return E.left(`line ${lines.length}: the policy ends without a log: log <vkey>`);
  return E.right({ logs, witnesses, quorum });
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;
const NONE = 'none';

/** What was read so far. Each method answers with what is wrong, if something is. */
class Draft {
  readonly logs: PolicyLog[] = [];
  readonly witnesses: Witness[] = [];
  quorum: Quorum | undefined;
  readonly #named = new Map<string, Quorum>();
  readonly #members = new Set<string>();

  read(line: string): string | undefined {
    if (CONTROL.test(line)) return 'a control character; a line ends in a newline alone';
    const [what = '', ...words] = line.split(/[ \t]+/).filter((word) => word !== '');
    if (what === '' || what.startsWith('#')) return undefined;
    if (what === 'log') return this.#log(words);
    if (what === 'witness') return this.#witness(words);
    if (what === 'group') return this.#group(words);
    if (what === 'quorum') return this.#quorum(words);
    return 'begins with none of log, witness, group and quorum';
  }

  #log([key, url, ...more]: readonly string[]): string | undefined {
    if (key === undefined || more.length > 0) return 'log <vkey> [<url>]';
    const vkey = parseVkey(key);
    if (E.isLeft(vkey)) return vkey.left;
    if (vkey.right.type !== keyType.note) return 'the key of a log has the type 1';
    if (this.logs.some((log) => log.vkey.key.equals(vkey.right.key))) return 'this key is that of a log above';
    if (this.logs.length === limits.proof.policyEntries) return `more than ${limits.proof.policyEntries} logs`;
    this.logs.push({ vkey: vkey.right, url });
    return undefined;
  }

  #witness([name, key, url, ...more]: readonly string[]): string | undefined {
    if (name === undefined || key === undefined || more.length > 0) return 'witness <name> <vkey> [<url>]';
    const vkey = parseVkey(key);
    if (E.isLeft(vkey)) return vkey.left;
    if (vkey.right.type !== keyType.cosignature) return 'the key of a witness has the type 4';
    if (this.witnesses.some((other) => other.vkey.key.equals(vkey.right.key)))
      return 'this key is that of a witness above';
    const witness: Witness = { kind: 'witness', name, vkey: vkey.right, url };
    this.witnesses.push(witness);
    return this.#define(witness);
  }

  #group([name, threshold, ...names]: readonly string[]): string | undefined {
    if (name === undefined || threshold === undefined || names.length === 0)
      return 'group <name> all|any|<k> <name>...';
    const needed = threshold === 'any' ? 1 : threshold === 'all' ? names.length : wholeNumber(threshold);
    if (needed === undefined || needed > names.length)
      return `a group needs all, any, or a number from 1 to ${names.length} of these members`;
    const members: Quorum[] = [];
    for (const member of names) {
      const found = this.#named.get(member);
      if (found === undefined) return `no witness or group above is called ${member}`;
      if (this.#members.has(member)) return `${member} is a member already`;
      this.#members.add(member);
      members.push(found);
    }
    return this.#define({ kind: 'group', name, needed, members });
  }

  #quorum([name, ...more]: readonly string[]): string | undefined {
    if (name === undefined || more.length > 0) return 'quorum <name>, or quorum none';
    if (this.quorum !== undefined) return 'a second quorum';
    this.quorum = name === NONE ? { kind: 'none' } : this.#named.get(name);
    return this.quorum === undefined ? `no witness or group above is called ${name}` : undefined;
  }

  #define(entry: Exclude<Quorum, { kind: 'none' }>): string | undefined {
    if (entry.name === NONE) return `${NONE} is a name for no witness at all`;
    if (this.#named.has(entry.name)) return `something above is called ${entry.name}`;
    if (this.#named.size === limits.proof.policyEntries)
      return `more than ${limits.proof.policyEntries} witnesses and groups`;
    this.#named.set(entry.name, entry);
    return undefined;
  }
}

/**
 * What whoever believes a log and some of its witnesses can go by: more than half of them have to have cosigned. Two histories of the
 * log would each need more than half, and so one witness that cosigned both.
 */
export const policyText = (log: Vkey, witnesses: readonly Vkey[]): string => {
  const names = witnesses.map(({ name }) => name);
  return [
    `log ${vkeyText(log)}`,
    ...witnesses.map((vkey) => `witness ${vkey.name} ${vkeyText(vkey)}`),
    ...(names.length > 1 ? [`group ${MAJORITY} ${majorityOf(names.length)} ${names.join(' ')}`] : []),
    `quorum ${names.length > 1 ? MAJORITY : (names[0] ?? NONE)}`,
    '',
  ].join('\n');
};

const MAJORITY = 'more-than-half';

/** More than half of so many; none of none. */
export const majorityOf = (count: number): number => (count === 0 ? 0 : Math.floor(count / 2) + 1);

const wholeNumber = (text: string): number | undefined => (/^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined);
