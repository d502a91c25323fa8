import { hostname, release } from 'node:os';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { version } from '../version.js';

/* Who is here, for people to see: in memory, bounded, and never evidence (protocol.md §8.6). */

export interface PresenceEntry {
  readonly host?: string | undefined;
  readonly ip?: string | undefined;
  readonly version?: string | undefined;
  readonly platform?: string | undefined;
  readonly deviceFamily?: string | undefined;
  readonly modelIdentifier?: string | undefined;
  readonly mode?: string | undefined;
  readonly lastInputSeconds?: number | undefined;
  readonly reason?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly text?: string | undefined;
  readonly ts: number;
  readonly deviceId?: string | undefined;
  readonly roles?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly instanceId?: string | undefined;
}

/** What somebody says; the time is ours. */
export type Claim = Omit<PresenceEntry, 'ts'>;

export type Kept = readonly [key: string, entry: PresenceEntry];

export class Presence {
  /** In order of their last touch. */
  private entries = new Map<string, PresenceEntry>();
  private changes = 1;
  private encoded: { readonly of: number; readonly at: number; readonly json: string } | undefined;

  constructor(private readonly clock: Clock) {}

  /** Counts changes; goes with every list. */
  get version(): number {
    return this.changes;
  }

  touch(key: string, claim: Claim): void {
    const before = this.entries.get(key);
    this.entries.delete(key);
    const entry = { ...before, ...defined(claim), ts: this.clock.now() };
    this.entries.set(key, { ...entry, text: claim.text ?? nodeText(entry) });
    this.changes++;
    this.prune();
  }

  /** It is gone; for a while the list says so. */
  leave(key: string): void {
    const before = this.entries.get(key);
    if (before !== undefined) this.touch(key, { ...before, reason: 'disconnect' });
  }

  /** Personal data were erased: of those who are not here nobody is shown any longer. */
  forgetBut(here: ReadonlySet<string>): void {
    for (const key of this.entries.keys()) if (!here.has(key)) this.entries.delete(key);
    this.changes++;
  }

  /** As it is, under its keys: for another process, which takes it up with `set`. */
  kept(): readonly Kept[] {
    this.prune();
    return [...this.entries];
  }

  set(kept: readonly Kept[]): void {
    this.entries = new Map(kept);
    this.changes++;
  }

  /** Newest first, the gateway itself among them. */
  list(): readonly PresenceEntry[] {
    this.prune();
    return [this.self(), ...[...this.entries.values()].reverse()];
  }

  /** The list in JSON, at most a second old: every hello has it. */
  json(): string {
    const at = this.clock.now();
    if (this.encoded?.of !== this.changes || at - this.encoded.at > limits.presence.listMs)
      this.encoded = { of: this.changes, at, json: JSON.stringify(this.list()) };
    return this.encoded.json;
  }

  private prune(): void {
    const oldest = this.clock.now() - limits.presence.ttlMs;
    for (const [key, { ts }] of this.entries) {
      if (ts > oldest && this.entries.size < limits.presence.entries) break;
      this.entries.delete(key);
    }
  }

  private self(): PresenceEntry {
    return { ...SELF, ts: this.clock.now() };
  }
}

const FAMILIES: { readonly [platform: string]: string } = { linux: 'Linux', darwin: 'Mac', win32: 'Windows' };

const HOST = hostname();

/** The gateway's own entry. */
const SELF: Claim = {
  host: HOST,
  ip: HOST,
  version,
  platform: `${process.platform} ${release()}`,
  deviceFamily: FAMILIES[process.platform] ?? process.platform,
  modelIdentifier: process.arch,
  mode: 'gateway',
  reason: 'self',
  text: `Gateway: ${HOST} (${HOST}) · app ${version} · mode gateway · reason self`,
};

const nodeText = ({ host = 'unknown', mode }: Claim): string =>
  `Node: ${host}${mode === undefined ? '' : ` · mode ${mode}`}`;

const SAID =
  /^Node: (?<host>.+?)(?: \((?<ip>[^)]*)\))?(?: · app (?<version>[^·]+?))?(?: · last input (?<input>\d+)s ago)?(?: · mode (?<mode>[^·]+?))?(?: · reason (?<reason>[^·]+?))?$/;

/** What a line of text says of its sender, in the form that apps send. */
export const claimIn = (text: string): Claim => {
  const { host, ip, version: app, input, mode, reason } = SAID.exec(text)?.groups ?? {};
  return {
    host,
    ip,
    version: app,
    lastInputSeconds: input === undefined ? undefined : Number(input),
    mode,
    reason,
    text,
  };
};

export const defined = <T extends object>(claim: T): T =>
  Object.fromEntries(Object.entries(claim).filter(([, value]) => value !== undefined)) as T;
