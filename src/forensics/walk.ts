import type { Event, EventOf } from '../../events/index.js';
import type { Step } from '../decisions/contain.js';
import { waits } from '../decisions/device.js';
import { byCredential, type Done, isAct } from './by-credential.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { Findings } from './findings.js';
import type { Stretch } from './moments.js';
import { nameOf, personOf } from './people.js';
import type { Branch, Token } from './radius.js';

/*
 * From a leak to everything that came of it, breadth first. What is followed: a device that was let in by what is already in the tree, or
 * that asked with the leaked credential: all it did from then on, until it was removed. A token that a device got for itself only because
 * of the leak. What is not: a device that had been let in before, because the leak of the gateway secret is not the leak of its key; nor the
 * token that somebody else's rotation made for it, which is told to nobody but that device.
 */

/** A branch that is still growing. */
interface Growing extends Omit<Branch, 'uses' | 'acts' | 'tokens'> {
  readonly life: Life;
  readonly tokens: readonly Token[];
  readonly found: Findings;
}

/** From which approval to which removal. */
interface Life {
  readonly from: number;
  readonly to: number | undefined;
}

type TokenMade = EventOf<'token.issued'> | EventOf<'token.rotated'>;

export class Walk {
  readonly events = new Set<number>();
  readonly branches: Growing[] = [];
  /** Tokens of devices that were in before. */
  readonly ownTokens: Token[] = [];
  readonly steps: Step[] = [];
  readonly addresses = new Set<string>();
  readonly total = { connections: 0, refused: 0, acts: 0 };
  readonly tokens = new Set<string>();
  /** Credentials that devices in the tree have shown: they know them. */
  readonly shown = new Set<string>();
  first: Place | undefined;
  last: Place | undefined;
  private readonly lives = new Map<string, Life[]>();
  private readonly queue: (() => void)[] = [];
  private readonly tokenNames = new Map<string, ReadonlyMap<string, string>>();

  constructor(
    private readonly keep: ReadonlySet<string>,
    private readonly evidence: Evidence,
  ) {}

  /** Everything from connections that showed a credential in a stretch; what they did counts also later. */
  fromCredential(credential: string, stretch: Stretch): Findings {
    const found = new Findings();
    this.tokens.add(credential);
    this.queue.push(() => this.ofCredential(credential, stretch, found));
    this.run();
    this.tokens.delete(credential);
    return found;
  }

  /** Everything from a device in a stretch of its life. */
  fromDevice(device: string, life: Life): Findings {
    const found = new Findings();
    this.lives.set(device, [life]);
    this.tokensOf(device, { from: 0, to: undefined });
    this.queue.push(() => this.ofDevice(device, life, found));
    this.run();
    return found;
  }

  get devices(): readonly string[] {
    return [...this.lives.keys()];
  }

  private run(): void {
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) next();
  }

  private ofCredential(credential: string, stretch: Stretch, found: Findings): void {
    for (const event of byCredential(credential, stretch, this.keep, this.evidence)) {
      if (event.type === 'connection.accepted') {
        this.cameIn(event, found);
        this.tell(credential, event, found);
      } else if (event.type === 'connection.refused') this.turnedAway(event, found);
      else this.did(event, found);
    }
  }

  private ofDevice(device: string, { from: after, to: upTo = this.evidence.upTo }: Life, found: Findings): void {
    for (const event of this.evidence.log.query({ terms: [`device:${device}`], after, upTo })) {
      if (event.actor.kind === 'connection' && event.actor.credential !== undefined)
        this.shown.add(event.actor.credential);
      if (event.type === 'connection.accepted') this.cameIn(event, found);
      else if (event.type === 'connection.refused') this.turnedAway(event, found);
      else if (isAct(event) && event.actor.device === device) this.did(event, found);
    }
  }

  private cameIn(event: EventOf<'connection.accepted'>, found: Findings): void {
    if (this.note(event)) this.total.connections++;
    found.accepted(event, this.credentialTold(event));
    if (event.origin?.address !== undefined) this.addresses.add(event.origin.address);
  }

  private turnedAway(event: EventOf<'connection.refused'>, found: Findings): void {
    if (this.note(event)) this.total.refused++;
    found.refused(event);
    if (event.origin?.address !== undefined) this.addresses.add(event.origin.address);
  }

  /** True if it is new to the tree. */
  private note(event: Event): boolean {
    if (this.events.has(event.seq)) return false;
    this.events.add(event.seq);
    if (this.first === undefined || event.seq < this.first.seq) this.first = placeOf(event);
    if (this.last === undefined || event.seq > this.last.seq) this.last = placeOf(event);
    return true;
  }

  /** Something that a connection in the tree did, and what came of it. */
  private did(event: Done, found: Findings): void {
    if (!this.note(event)) return;
    this.total.acts++;
    if ((event.type === 'token.issued' || event.type === 'token.rotated') && isGained(event, event.actor))
      this.follow(this.tokenIn(event), found);
    found.did(event, this.letIn(event));
  }

  /** The device that got in, or got more, by this act: by its yes, or by the yes that its ask was given. */
  private letIn(event: Event): number | undefined {
    if (event.type === 'pairing.approved') return this.branch(event, this.wasIn(event) ? 'widened' : 'approved');
    if (event.type !== 'pairing.requested') return undefined;
    const { requestId, device, repair } = event.data;
    /* Also after the last event of the answer: who is let in while the log is read must not be missed. */
    for (const effect of this.evidence.log.query({ terms: [`cause:${event.seq}`, 'type:pairing.approved'] })) {
      if (effect.type !== 'pairing.approved') continue;
      if (repair && event.actor.kind === 'connection' && event.actor.method !== 'device-token') return undefined;
      this.note(effect);
      return this.branch(effect, repair ? 'widened' : 'asked');
    }
    const { views, now } = this.evidence;
    const row = views.pending.get(device);
    if (row?.requestId === requestId && waits(row, views, { now }))
      this.steps.push({ do: 'reject-request', requestId, device, because: event.seq });
    return undefined;
  }

  /** Was the device paired before this request? */
  private wasIn({ cause }: EventOf<'pairing.approved'>): boolean {
    const asked = cause === undefined ? undefined : this.evidence.log.event(cause);
    return asked?.type === 'pairing.requested' && asked.data.repair;
  }

  private branch(approved: EventOf<'pairing.approved'>, because: Branch['because']): number | undefined {
    const { device, roles, scopes } = approved.data;
    if (this.keep.has(device) || this.isInTree(device, approved.seq)) return undefined;
    const { views } = this.evidence;
    const life = { from: approved.seq, to: this.removalOf(device, approved.seq) };
    const asked = approved.cause === undefined ? undefined : this.evidence.log.event(approved.cause);
    if (asked?.actor.kind === 'connection' && asked.actor.credential !== undefined)
      this.shown.add(asked.actor.credential);
    this.lives.set(device, [...(this.lives.get(device) ?? []), life]);
    const paired = life.to === undefined && views.paired.get(device) !== undefined;
    if (paired) this.steps.push({ do: 'remove-device', device, because: approved.seq });
    const found = new Findings();
    const name = nameOf(device, this.evidence) ?? approved.origin?.displayName;
    const tokens = this.tokensOf(device, life);
    this.branches.push({
      device,
      name,
      because,
      approved: placeOf(approved),
      by: personOf(approved, this.evidence),
      roles,
      scopes,
      paired,
      life,
      tokens,
      found,
    });
    if (because !== 'widened') this.queue.push(() => this.ofDevice(device, life, found));
    return this.branches.length - 1;
  }

  private isInTree(device: string, seq: number): boolean {
    return (this.lives.get(device) ?? []).some(({ from, to = Number.MAX_SAFE_INTEGER }) => from <= seq && seq <= to);
  }

  /** The removal that ended this pairing: what is approved afterwards is another decision. */
  private removalOf(device: string, after: number): number | undefined {
    const terms = [`subject:device:${device}`, 'type:device.removed'];
    for (const { seq } of this.evidence.log.query({ terms, after })) return seq;
    return undefined;
  }

  /** Every token of a device in its life, whoever had it made: it is told to the device. */
  private tokensOf(device: string, { from: after, to: upTo = this.evidence.upTo }: Life): readonly Token[] {
    const tokens: Token[] = [];
    for (const event of this.evidence.log.query({ terms: [`subject:device:${device}`], after, upTo })) {
      if (event.type !== 'token.issued' && event.type !== 'token.rotated') continue;
      this.note(event);
      this.tokens.add(event.data.credential);
      tokens.push(this.tokenIn(event));
    }
    return tokens;
  }

  private tokenIn(event: TokenMade): Token {
    const { device, credential, role, scopes } = event.data;
    const endedBy = this.evidence.views.credentials.get(credential)?.endedBy;
    const how = event.type === 'token.issued' ? 'issued' : 'rotated';
    return { ...placeOf(event), device, credential, role, scopes, how, alive: endedBy === undefined, endedBy };
  }

  /** With a device token, the device is told the next one; with the gateway secret it could have proved its key anyway. */
  private tell(credential: string, accepted: EventOf<'connection.accepted'>, found: Findings): void {
    const { credentials } = this.evidence.views;
    if (credentials.get(credential)?.kind !== 'device-token') return;
    const told = this.credentialTold(accepted);
    const row = told === undefined ? undefined : credentials.get(told);
    const issue = row?.kind === 'device-token' ? this.evidence.log.event(row.seq) : undefined;
    if (issue?.type === 'token.issued' || issue?.type === 'token.rotated') {
      if (this.follow({ ...this.tokenIn(issue), how: 'told' }, found)) this.note(issue);
    }
  }

  /** Goes on with a token of a device that was in before; those of a device in the tree are in it with the device. */
  private follow(token: Token, found: Findings): boolean {
    const { device, role, credential, seq, alive } = token;
    if (this.isInTree(device, seq) || this.tokens.has(credential)) return false;
    this.tokens.add(credential);
    this.ownTokens.push(token);
    if (alive) this.steps.push({ do: 'revoke-token', device, role, credential, because: seq });
    this.queue.push(() => this.ofCredential(credential, { after: seq, upTo: this.evidence.upTo }, found));
    return true;
  }

  /** Fingerprint of the token that a connect was told. */
  private credentialTold({ data: { device, role, token } }: EventOf<'connection.accepted'>): string | undefined {
    if (device === undefined || token === undefined) return undefined;
    const names = this.tokenNames.get(device) ?? this.namesOf(device);
    this.tokenNames.set(device, names);
    return names.get(`${role} ${token}`);
  }

  /** Fingerprints of the tokens of a device by their ids. */
  private namesOf(device: string): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const { type, data } of this.evidence.log.query({ terms: [`subject:device:${device}`] }))
      if (type === 'token.issued' || type === 'token.rotated') names.set(`${data.role} ${data.token}`, data.credential);
    return names;
  }
}

/**
 * Did the device get a token for itself that it has only because of this? With its own token in other hands, any; with the gateway secret,
 * one that it had not: its key it could have proved anyway.
 */
const isGained = ({ type, data }: TokenMade, by: Done['actor']): boolean =>
  by.kind === 'connection' &&
  data.device === by.device &&
  (by.method === 'device-token' || (type === 'token.issued' && data.replaces === undefined));
