import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Event, EventOf, Role } from '../../events/index.js';
import { GATEWAY } from '../../projections/index.js';
import type { Step } from '../decisions/contain.js';
import { type Refusal, refusal } from '../errors.js';
import { limits } from '../limits.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { type Stretch, stretchOf } from './moments.js';
import { type Known, meant } from './near.js';
import { nameOf } from './people.js';

/*
 * What a credential touched. From the credential to the connections that showed it, to what they did, to the devices that got in because
 * of it, to the tokens those hold, to what they did, and so on.
 *
 * What is followed: a device that was let in by what is already in the tree, or that asked with the leaked credential: all it did from
 * then on. A token that such a connection was told or had issued to its own device. What is not: a device that had been let in
 * before, because the leak of a credential is not the leak of its key, and the token that a rotation by somebody else made for it, which is
 * told to nobody but that device.
 */

export interface Leak {
  /** By its fingerprint. Either this or a device. */
  readonly credential?: string | undefined;
  /** A device that was lost, with its key and all that it holds. */
  readonly device?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Devices that somebody vouches for: neither their connections nor their pairing are followed. */
  readonly keep?: readonly string[] | undefined;
}

/** Connections of one device from one address. */
export interface Use {
  readonly device?: string | undefined;
  readonly name?: string | undefined;
  readonly address?: string | undefined;
  readonly connections: number;
  /** It was turned away all the same. */
  readonly refused: number;
  /** Sessions that are open now. */
  readonly open: number;
  readonly first: Place;
  readonly last: Place;
  readonly scopes: readonly string[];
  /** Fingerprints of the device tokens it was told. */
  readonly told: readonly string[];
}

/** Something that was done. */
export interface Act extends Place {
  readonly type: Event['type'];
  readonly about: string;
  readonly requestId?: string | undefined;
  readonly connection?: string | undefined;
  /** What it let in: spelled out below it. */
  readonly device?: Branch | undefined;
}

export interface Token extends Place {
  readonly credential: string;
  readonly role: Role;
  readonly scopes: readonly string[];
  readonly how: 'issued' | 'rotated' | 'told';
  readonly alive: boolean;
  readonly endedBy?: number | undefined;
}

/** A device that is in because of what stands above it. */
export interface Branch {
  readonly device: string;
  readonly name?: string | undefined;
  /** It asked with the leaked credential, or somebody in the tree said yes to it. `widened`: it was in before, and got more. */
  readonly because: 'asked' | 'approved' | 'widened';
  readonly approved: Place;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly paired: boolean;
  readonly tokens: readonly Token[];
  readonly uses: readonly Use[];
  readonly acts: readonly Act[];
}

export interface BlastRadius {
  readonly credential?: string | undefined;
  readonly device?: string | undefined;
  readonly kind: 'secret' | 'device-token' | 'device' | 'unknown';
  readonly name?: string | undefined;
  /** Of a device token: whose, and for what. */
  readonly holder?: { readonly device: string; readonly name?: string | undefined; readonly role: Role } | undefined;
  readonly issued?: number | undefined;
  readonly endedBy?: number | undefined;
  readonly stretch: Stretch;
  readonly uses: readonly Use[];
  readonly acts: readonly Act[];
  /** Tokens that the holder of the credential was told, or had issued, for a device that was in before. */
  readonly tokens: readonly (Token & { readonly device: string })[];
  readonly counts: {
    readonly connections: number;
    readonly refused: number;
    /** Sessions that are open now: by the credential itself, and of the devices that it let in. */
    readonly open: number;
    readonly openBelow: number;
    readonly acts: number;
    readonly devices: number;
    readonly tokens: number;
  };
  readonly first?: Place | undefined;
  readonly last?: Place | undefined;
  readonly addresses: readonly string[];
  readonly devices: readonly string[];
  readonly kept: readonly string[];
  readonly plan: readonly Step[];
  /** The numbers of the events that make up the tree. */
  readonly events: readonly number[];
}

export const blastRadius = (leak: Leak, evidence: Evidence): Either<Refusal, BlastRadius> => {
  if ((leak.credential === undefined) === (leak.device === undefined))
    return E.left(refusal('unknown-id', 'name what is in other hands: one credential, or one device'));
  const stretch = stretchOf(leak, evidence);
  if (E.isLeft(stretch)) return stretch;
  const { device, credential, keep = [] } = leak;
  const kept = E.sequenceArray(keep.map((said) => deviceMeant(said, evidence)));
  if (E.isLeft(kept)) return kept;
  const walk = new Walk(stretch.right, new Set(kept.right), evidence);
  return device === undefined
    ? E.map((found: string) => walk.fromCredential(found))(credentialMeant(credential ?? '', evidence))
    : E.map(({ id }: Known) => walk.fromDevice(id))(meant(device, ['device'], evidence));
};

const credentialMeant = (said: string, evidence: Evidence): Either<Refusal, string> => {
  if (evidence.views.credentials.get(said) !== undefined || isMentioned(said, evidence)) return E.right(said);
  return E.map(({ id }: { readonly id: string }) => id)(meant(said, ['credential'], evidence));
};

/** Whom nobody finds nobody can vouch for: it would be shut out all the same. */
const deviceMeant = (said: string, evidence: Evidence): Either<Refusal, string> => {
  for (const _ of evidence.log.query({ terms: [`device:${said}`] })) return E.right(said);
  return E.map(({ id }: Known) => id)(meant(said, ['device'], evidence));
};

/** Wrong credentials have fingerprints, too. */
const isMentioned = (credential: string, { log }: Evidence): boolean => {
  for (const _ of log.query({ terms: [`credential:${credential}`] })) return true;
  return false;
};

interface MutableUse {
  device?: string | undefined;
  address?: string | undefined;
  connections: number;
  refused: number;
  first: Place;
  last: Place;
  readonly scopes: Set<string>;
  readonly told: Set<string>;
}

/** What was found under one credential or one device. */
class Findings {
  readonly uses = new Map<string, MutableUse>();
  readonly connections = new Set<string>();
  readonly acts: Act[] = [];

  use(event: EventOf<'connection.accepted'> | EventOf<'connection.refused'>): MutableUse {
    const { device } = event.data;
    const address = event.origin?.address;
    const key = `${device ?? ''} ${address ?? ''}`;
    const known = this.uses.get(key);
    if (known !== undefined) {
      known.last = placeOf(event);
      return known;
    }
    const place = placeOf(event);
    const use = {
      device,
      address,
      connections: 0,
      refused: 0,
      first: place,
      last: place,
      scopes: new Set<string>(),
      told: new Set<string>(),
    };
    this.uses.set(key, use);
    return use;
  }
}

class Walk {
  /** Devices in the tree, and from which approval to which removal. */
  private readonly lives = new Map<string, Life[]>();
  private readonly tokensSeen = new Set<string>();
  private readonly events = new Set<number>();
  private readonly steps: Step[] = [];
  private readonly ownTokens: (Token & { readonly device: string })[] = [];
  private readonly openSessions = new Map<string, number>();
  private readonly total = { connections: 0, refused: 0, acts: 0 };
  private readonly addresses = new Set<string>();
  private first: Place | undefined;
  private last: Place | undefined;

  private credential: string | undefined;

  constructor(
    private readonly stretch: Stretch,
    private readonly keep: ReadonlySet<string>,
    private readonly evidence: Evidence,
  ) {
    for (const [, { device, credential: shown }] of evidence.views.connected.entries()) {
      const key = `${device ?? ''} ${shown ?? ''}`;
      this.openSessions.set(key, (this.openSessions.get(key) ?? 0) + 1);
    }
  }

  fromCredential(credential: string): BlastRadius {
    this.credential = credential;
    const { views } = this.evidence;
    const row = views.credentials.get(credential);
    const found = this.ofCredential(credential, this.stretch);
    const holder =
      row?.kind === 'device-token'
        ? { device: row.device, name: nameOf(row.device, views), role: row.role }
        : undefined;
    const kind = row?.kind ?? 'unknown';
    return { credential, kind, holder, issued: row?.seq, endedBy: row?.endedBy, ...found, ...this.summary() };
  }

  /** It is in the tree itself, from the beginning of the stretch on. */
  fromDevice(device: string): BlastRadius {
    const { views, upTo } = this.evidence;
    const life = { from: this.stretch.after, to: this.stretch.upTo < upTo ? this.stretch.upTo : undefined };
    this.lives.set(device, [life]);
    const row = views.paired.get(device);
    if (row !== undefined) this.steps.push({ do: 'remove-device', device, because: row.seq });
    this.tokensOf(device, { from: 0, to: undefined });
    const found = this.ofDevice(device, life);
    return { device, kind: 'device', name: nameOf(device, views), issued: row?.seq, ...found, ...this.summary() };
  }

  private summary() {
    const { credential, stretch } = this;
    const devices = [...this.lives.keys()];
    return {
      stretch,
      tokens: this.ownTokens,
      counts: {
        ...this.total,
        open: credential === undefined ? 0 : this.openOf(credential),
        openBelow: devices.reduce((open, device) => open + this.openOfDevice(device, credential), 0),
        devices: devices.length,
        tokens: this.tokensSeen.size,
      },
      first: this.first,
      last: this.last,
      addresses: [...this.addresses],
      devices,
      kept: [...this.keep],
      plan: this.plan(),
      events: [...this.events].sort((a, b) => a - b),
    };
  }

  /** Connections that showed a credential within a stretch, and all they did, also after it. */
  private ofCredential(credential: string, { after, upTo }: Stretch): { uses: readonly Use[]; acts: readonly Act[] } {
    const found = new Findings();
    for (const event of this.evidence.log.query({
      terms: [`credential:${credential}`],
      after,
      upTo: this.evidence.upTo,
    })) {
      const shown = 'credential' in event.data && event.data.credential === credential;
      if (event.type === 'connection.accepted' && shown) {
        if (event.seq <= upTo && !this.isKept(event.data.device)) this.cameIn(event, found);
      } else if (event.type === 'connection.refused' && shown) {
        if (event.seq <= upTo && !this.isKept(event.data.device)) this.turnedAway(event, found);
      } else if (isDoneWith(event, credential) && !event.type.startsWith('connection.')) {
        const inside = found.connections.has(event.actor.connection);
        const asking = event.seq <= upTo && event.type === 'pairing.requested' && !this.isKept(event.data.device);
        if (inside || asking) this.did(event, found);
      }
    }
    const told = [...found.uses.values()].filter(({ device }) => this.isOwnTokenFollowed(credential, device));
    const more = told.flatMap((use) => [...use.told].map((token) => this.tokenTold(token, use)));
    return this.summed(
      found,
      credential,
      more.filter((one) => one !== undefined),
    );
  }

  private cameIn(event: EventOf<'connection.accepted'>, found: Findings): void {
    if (!this.events.has(event.seq)) this.total.connections++;
    this.note(event);
    found.connections.add(event.data.connection);
    const use = found.use(event);
    use.connections++;
    for (const scope of event.data.scopes) use.scopes.add(scope);
    const told = this.credentialOfToken(event.data.device, event.data.role, event.data.token);
    if (told !== undefined) use.told.add(told);
    if (event.origin?.address !== undefined) this.addresses.add(event.origin.address);
  }

  private turnedAway(event: EventOf<'connection.refused'>, found: Findings): void {
    if (!this.events.has(event.seq)) this.total.refused++;
    this.note(event);
    found.use(event).refused++;
    if (event.origin?.address !== undefined) this.addresses.add(event.origin.address);
  }

  private note(event: Event): void {
    this.events.add(event.seq);
    if (this.first === undefined || event.seq < this.first.seq) this.first = placeOf(event);
    if (this.last === undefined || event.seq > this.last.seq) this.last = placeOf(event);
  }

  /** Something that a connection in the tree did, and what came of it. */
  private did(event: Event & { readonly actor: { readonly kind: 'connection' } }, found: Findings): void {
    if (this.events.has(event.seq) || isConsequence(event)) return;
    this.note(event);
    this.total.acts++;
    if (event.type === 'token.issued' || event.type === 'token.rotated')
      this.ownToken(event, event.actor.device, found);
    const device = this.letIn(event);
    if (found.acts.length >= limits.forensics.acts && device === undefined) return;
    found.acts.push({
      ...placeOf(event),
      type: event.type,
      about: event.subject,
      requestId: 'requestId' in event.data ? event.data.requestId : undefined,
      connection: event.actor.connection,
      device,
    });
  }

  /** The device that got in, or got more, by this act: by its yes, or by the yes that its ask was given. */
  private letIn(event: Event): Branch | undefined {
    if (event.type === 'pairing.approved') return this.branch(event, this.wasIn(event) ? 'widened' : 'approved');
    if (event.type !== 'pairing.requested') return undefined;
    for (const effect of this.evidence.log.query({ terms: [`cause:${event.seq}`] })) {
      if (effect.type !== 'pairing.approved') continue;
      if (event.data.repair) return undefined;
      this.note(effect);
      return this.branch(effect, 'asked');
    }
    const { requestId, device } = event.data;
    if (this.evidence.views.pending.get(device)?.requestId === requestId)
      this.steps.push({ do: 'reject-request', requestId, device, because: event.seq });
    return undefined;
  }

  /** Was the device paired before this request? */
  private wasIn({ cause }: EventOf<'pairing.approved'>): boolean {
    const asked = cause === undefined ? undefined : this.evidence.log.event(cause);
    return asked?.type === 'pairing.requested' && asked.data.repair;
  }

  private branch(approved: EventOf<'pairing.approved'>, because: Branch['because']): Branch | undefined {
    const { device, roles, scopes } = approved.data;
    if (this.isKept(device) || this.isInTree(device, approved.seq)) return undefined;
    const { views } = this.evidence;
    const life = { from: approved.seq, to: this.removalOf(device, approved.seq) };
    this.lives.set(device, [...(this.lives.get(device) ?? []), life]);
    const paired = life.to === undefined && views.paired.get(device) !== undefined;
    if (paired) this.steps.push({ do: 'remove-device', device, because: approved.seq });
    const tokens = this.tokensOf(device, life);
    const { uses, acts } = because === 'widened' ? { uses: [], acts: [] } : this.ofDevice(device, life);
    return {
      device,
      name: nameOf(device, views) ?? approved.origin?.displayName,
      because,
      approved: placeOf(approved),
      roles,
      scopes,
      paired,
      tokens,
      uses,
      acts,
    };
  }

  private isInTree(device: string, seq: number): boolean {
    return (this.lives.get(device) ?? []).some(({ from, to = Number.MAX_SAFE_INTEGER }) => from <= seq && seq <= to);
  }

  /** The removal that ended this pairing: what is approved afterwards is another decision. */
  private removalOf(device: string, after: number): number | undefined {
    for (const { seq } of this.evidence.log.query({
      terms: [`subject:device:${device}`, 'type:device.removed'],
      after,
    }))
      return seq;
    return undefined;
  }

  /** Every token of a device from its approval on, whoever had it made: it is told to the device. */
  private tokensOf(device: string, { from: after, to: upTo = this.evidence.upTo }: Life): readonly Token[] {
    const tokens: Token[] = [];
    for (const event of this.evidence.log.query({ terms: [`subject:device:${device}`], after, upTo })) {
      if (event.type !== 'token.issued' && event.type !== 'token.rotated') continue;
      this.note(event);
      this.tokensSeen.add(event.data.credential);
      tokens.push(this.tokenIn(event));
    }
    return tokens;
  }

  private tokenIn(event: EventOf<'token.issued'> | EventOf<'token.rotated'>): Token {
    const { credential, role, scopes } = event.data;
    const endedBy = this.evidence.views.credentials.get(credential)?.endedBy;
    const how = event.type === 'token.issued' ? 'issued' : 'rotated';
    return { ...placeOf(event), credential, role, scopes, how, alive: endedBy === undefined, endedBy };
  }

  /** What a device in the tree did, by whatever credential. */
  private ofDevice(
    device: string,
    { from: after, to: upTo = this.evidence.upTo }: Life,
  ): { uses: readonly Use[]; acts: readonly Act[] } {
    const found = new Findings();
    for (const event of this.evidence.log.query({ terms: [`device:${device}`], after, upTo })) {
      if (event.type === 'connection.accepted') this.cameIn(event, found);
      else if (event.type === 'connection.refused') this.turnedAway(event, found);
      else if (isDoneByDevice(event, device) && !event.type.startsWith('connection.')) this.did(event, found);
    }
    return this.summed(found, undefined, []);
  }

  /** A token that somebody in the tree had made. Followed if it went to the one who had it made, and not to a device of somebody else. */
  private ownToken(
    event: EventOf<'token.issued'> | EventOf<'token.rotated'>,
    by: string | undefined,
    found: Findings,
  ): void {
    const { device, credential } = event.data;
    if (device !== by || this.isInTree(device, event.seq) || this.tokensSeen.has(credential)) return;
    this.follow({ ...this.tokenIn(event), device }, found);
  }

  private follow(token: Token & { readonly device: string }, found: Findings): void {
    const { device, role, credential, seq, alive } = token;
    this.tokensSeen.add(credential);
    this.ownTokens.push(token);
    if (alive) this.steps.push({ do: 'revoke-token', device, role, credential, because: seq });
    const { acts } = this.ofCredential(credential, { after: seq, upTo: this.evidence.upTo });
    found.acts.push(...acts);
  }

  /** With a token of its own a device gets the next one told; with the gateway secret it could have proved its key anyway. */
  private isOwnTokenFollowed(credential: string, device: string | undefined): boolean {
    const row = this.evidence.views.credentials.get(credential);
    return row?.kind === 'device-token' && row.device === device && device !== undefined && !this.lives.has(device);
  }

  private tokenTold(
    credential: string,
    { device = '' }: MutableUse,
  ): (Token & { readonly device: string }) | undefined {
    const row = this.evidence.views.credentials.get(credential);
    if (row?.kind !== 'device-token' || credential === this.credential || this.tokensSeen.has(credential))
      return undefined;
    const issue = this.evidence.log.event(row.seq);
    if (issue?.type !== 'token.issued' && issue?.type !== 'token.rotated') return undefined;
    this.note(issue);
    return { ...this.tokenIn(issue), how: 'told', device };
  }

  private summed(
    found: Findings,
    credential: string | undefined,
    told: readonly (Token & { readonly device: string })[],
  ): { uses: readonly Use[]; acts: readonly Act[] } {
    for (const token of told) if (!this.tokensSeen.has(token.credential)) this.follow(token, found);
    const uses = [...found.uses.values()].map(
      (use): Use => ({
        ...use,
        name: nameOf(use.device, this.evidence.views),
        open:
          credential === undefined
            ? this.openOfDevice(use.device, undefined)
            : (this.openSessions.get(`${use.device ?? ''} ${credential}`) ?? 0),
        scopes: [...use.scopes],
        told: [...use.told],
      }),
    );
    return { uses, acts: found.acts };
  }

  private credentialOfToken(device: string | undefined, role: string, token: string | undefined): string | undefined {
    if (device === undefined || token === undefined) return undefined;
    this.tokenNames.get(device) ?? this.tokenNames.set(device, this.namesOf(device));
    return this.tokenNames.get(device)?.get(`${role} ${token}`);
  }

  private readonly tokenNames = new Map<string, ReadonlyMap<string, string>>();

  /** Fingerprints of the tokens of a device by their ids. */
  private namesOf(device: string): ReadonlyMap<string, string> {
    const names = new Map<string, string>();
    for (const { type, data } of this.evidence.log.query({ terms: [`subject:device:${device}`] }))
      if (type === 'token.issued' || type === 'token.rotated') names.set(`${data.role} ${data.token}`, data.credential);
    return names;
  }

  private isKept(device: string | undefined): boolean {
    return device !== undefined && this.keep.has(device);
  }

  private openOf(credential: string): number {
    let open = 0;
    for (const [key, count] of this.openSessions) if (key.endsWith(` ${credential}`)) open += count;
    return open;
  }

  /** Sessions of a device, but for those that showed `except`. */
  private openOfDevice(device: string | undefined, except: string | undefined): number {
    let open = 0;
    for (const [key, count] of this.openSessions)
      if (key.startsWith(`${device} `) && (except === undefined || !key.endsWith(` ${except}`))) open += count;
    return open;
  }

  /** The secret first; then what is removed needs no token revoked. */
  private plan(): readonly Step[] {
    const removed = new Set(this.steps.flatMap((step) => (step.do === 'remove-device' ? [step.device] : [])));
    return [...this.ownStep(), ...this.steps].filter(
      (step) => step.do === 'remove-device' || step.do === 'rotate-secret' || !removed.has(step.device),
    );
  }

  /** What is to be done about the credential itself, if it is alive. */
  private ownStep(): readonly Step[] {
    const { credential } = this;
    if (credential === undefined) return [];
    const { views } = this.evidence;
    if (views.gateway.get(GATEWAY)?.secret?.credential === credential) return [{ do: 'rotate-secret', credential }];
    const row = views.credentials.get(credential);
    if (row?.kind !== 'device-token' || row.endedBy !== undefined) return [];
    return [{ do: 'revoke-token', device: row.device, role: row.role, credential, because: row.seq }];
  }
}

interface Life {
  readonly from: number;
  readonly to: number | undefined;
}

type Done = Event & { readonly actor: { readonly kind: 'connection' } };

const isDoneWith = (event: Event, credential: string): event is Done =>
  event.actor.kind === 'connection' && event.actor.credential === credential;

const isDoneByDevice = (event: Event, device: string): event is Done =>
  event.actor.kind === 'connection' && event.actor.device === device;

/** Not an act of its own but what another act brings about. */
const isConsequence = ({ type }: Event): boolean => type === 'token.retired' || type === 'log.read';
