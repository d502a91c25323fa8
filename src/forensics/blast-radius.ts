import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import { GATEWAY } from '../../projections/index.js';
import type { Step } from '../decisions/contain.js';
import { type Refusal, refusal } from '../errors.js';
import type { Evidence } from './evidence.js';
import type { Findings } from './findings.js';
import { type Stretch, stretchOf } from './moments.js';
import { type Known, meant } from './near.js';
import { nameOf } from './people.js';
import type { BlastRadius, Leak } from './radius.js';
import { Walk } from './walk.js';

/** What a leaked credential, or a lost device, touched, and what would shut it out. */
export const blastRadius = (leak: Leak, evidence: Evidence): Either<Refusal, BlastRadius> => {
  const { device, credential, keep } = leak;
  if ((credential === undefined) === (device === undefined))
    return E.left(refusal('unknown-id', 'name what is in other hands: one credential, or one device'));
  const stretch = stretchOf(leak, evidence);
  if (E.isLeft(stretch)) return stretch;
  const vouched = E.sequenceArray((keep ?? []).map((said) => deviceMeant(said, evidence)));
  if (E.isLeft(vouched)) return vouched;
  const kept = new Set(vouched.right);
  return device === undefined
    ? E.map((found: string) => ofCredential(found, stretch.right, kept, evidence))(
        credentialMeant(credential ?? '', evidence),
      )
    : E.map(({ id }: Known) => ofDevice(id, stretch.right, kept, evidence))(meant(device, ['device'], evidence));
};

const credentialMeant = (said: string, evidence: Evidence): Either<Refusal, string> => {
  if (evidence.views.credentials.get(said) !== undefined || isMentioned(said, evidence)) return E.right(said);
  return E.map(({ id }: Known) => id)(meant(said, ['credential'], evidence));
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

const ofCredential = (
  credential: string,
  stretch: Stretch,
  kept: ReadonlySet<string>,
  evidence: Evidence,
): BlastRadius => {
  const { views } = evidence;
  const walk = new Walk(kept, evidence);
  const found = walk.fromCredential(credential, stretch);
  const row = views.credentials.get(credential);
  const holder =
    row?.kind === 'device-token'
      ? { device: row.device, name: nameOf(row.device, evidence), role: row.role }
      : undefined;
  return {
    credential,
    kind: row?.kind ?? 'unknown',
    holder,
    issued: row?.seq,
    endedBy: row?.endedBy,
    ...grown(walk, found, stretch, kept, evidence, credential),
    plan: plan([...stepsAgainst(credential, evidence), ...secretsKnown(walk, evidence), ...walk.steps]),
  };
};

/** It is in the tree itself, from the beginning of the stretch on. */
const ofDevice = (device: string, stretch: Stretch, kept: ReadonlySet<string>, evidence: Evidence): BlastRadius => {
  const { views, upTo } = evidence;
  const walk = new Walk(kept, evidence);
  const found = walk.fromDevice(device, { from: stretch.after, to: stretch.upTo < upTo ? stretch.upTo : undefined });
  const row = views.paired.get(device);
  const own: readonly Step[] = row === undefined ? [] : [{ do: 'remove-device', device, because: row.seq }];
  return {
    device,
    kind: 'device',
    name: nameOf(device, evidence),
    issued: row?.seq,
    ...grown(walk, found, stretch, kept, evidence, undefined),
    plan: plan([...secretsKnown(walk, evidence), ...own, ...walk.steps]),
  };
};

const grown = (
  walk: Walk,
  found: Findings,
  stretch: Stretch,
  kept: ReadonlySet<string>,
  evidence: Evidence,
  credential: string | undefined,
) => {
  const { views } = evidence;
  const devices = new Set(walk.devices);
  let [open, openBelow] = [0, 0];
  for (const [, session] of views.connected.entries()) {
    if (credential !== undefined && session.credential === credential) open++;
    else if (session.device !== undefined && devices.has(session.device)) openBelow++;
  }
  const { first, last, total } = walk;
  return {
    stretch,
    uses: found.uses(evidence),
    acts: found.acts,
    branches: walk.branches.map(({ life: _, found: under, ...branch }) => ({
      ...branch,
      uses: under.uses(evidence),
      acts: under.acts,
    })),
    tokens: walk.ownTokens,
    counts: { ...total, open, openBelow, devices: devices.size, tokens: walk.tokens.size },
    first,
    last,
    addresses: [...walk.addresses],
    devices: [...devices],
    kept: [...kept],
    events: [...walk.events].sort((a, b) => a - b),
  };
};

/** What is to be done about the credential itself, if it is alive. */
const stepsAgainst = (credential: string, { views }: Evidence): readonly Step[] => {
  if (views.gateway.get(GATEWAY)?.secret?.credential === credential) return [{ do: 'rotate-secret', credential }];
  const row = views.credentials.get(credential);
  if (row?.kind === 'secret' && row.leaked === undefined) return [{ do: 'bar-secret', credential }];
  if (row?.kind !== 'device-token' || row.endedBy !== undefined) return [];
  return [{ do: 'revoke-token', device: row.device, role: row.role, credential, because: row.seq }];
};

/** Gateway secrets that devices in the tree have shown: whoever holds the device knows them, and comes back with them. */
const secretsKnown = ({ shown }: Walk, evidence: Evidence): readonly Step[] =>
  [...shown]
    .filter((credential) => evidence.views.credentials.get(credential)?.kind === 'secret')
    .flatMap((credential) => stepsAgainst(credential, evidence));

/** A device that is removed needs no token revoked, and has no request left; a secret is dealt with once. */
const plan = (steps: readonly Step[]): readonly Step[] => {
  const removed = new Set(steps.flatMap((step) => (step.do === 'remove-device' ? [step.device] : [])));
  const secrets = new Set<string>();
  return steps.filter((step) => {
    if ('device' in step) return step.do === 'remove-device' || !removed.has(step.device);
    const isFirst = !secrets.has(step.credential);
    secrets.add(step.credential);
    return isFirst;
  });
};
