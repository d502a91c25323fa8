import { hash } from 'node:crypto';
import type { Either } from 'fp-ts/lib/Either.js';
import * as E from 'fp-ts/lib/Either.js';
import type { Event } from '../../events/index.js';
import { incidentKey, type Lost } from '../../projections/index.js';
import { closeIncident, contain, cutsOff, type Done } from '../decisions/contain.js';
import type { Principal } from '../decisions/principal.js';
import { type Refusal, refusal } from '../errors.js';
import { timeOf } from '../forensics/moments.js';
import type { CredentialAnswer, Told } from '../forensics/questions.js';
import type { BlastRadius, Leak } from '../forensics/radius.js';
import { limits } from '../limits.js';
import type { Parts } from './parts.js';
import type { Session } from './session.js';

/*
 * A credential leaked, or a device was lost: everything that derives from it is shut out, as one incident. It is looked for, shut out in one
 * commit, and looked for again, because whoever is being shut out may have been at work meanwhile; when nothing is left the incident is
 * closed. One that was cut short is gone on with when it is asked for again.
 */

/** What was found first, and what came of it; nothing did if there was nothing to do. */
export type Contained = CredentialAnswer & {
  readonly incident: string | null;
  readonly opened?: number;
  readonly closed?: number | undefined;
  readonly rounds?: number;
  readonly done?: Done;
  readonly sessions?: number;
};

type Outcome = Either<Refusal, Contained>;

/** One at a time: each makes a secret that the next would take for one that nobody uses. */
const turns = new WeakMap<Parts, Promise<unknown>>();

export const contained = (leak: Leak, by: Principal, parts: Parts): Promise<Outcome> => {
  const run = (turns.get(parts) ?? Promise.resolve()).then(() => inTurn(leak, by, parts));
  turns.set(
    parts,
    run.catch(() => {}),
  );
  return run;
};

export interface Looked {
  readonly found: CredentialAnswer;
  readonly told: Told;
}

/** What would be done, or that it would cut off the one who asks. */
export const looked = async (leak: Leak, by: Principal, { desk }: Parts): Promise<Either<Refusal, Looked>> => {
  const outcome = await desk.ask('credential', leak, 'urgent');
  if (E.isLeft(outcome)) return outcome;
  const found = JSON.parse(`${outcome.right.json}}`) as CredentialAnswer;
  const { plan } = found.answer;
  return cutsOff(by, { ...lostIn(found.answer), plan })
    ? E.left(refusal('cuts-caller'))
    : E.right({ found, told: outcome.right });
};

interface Progress {
  readonly incident: string;
  opened: number | undefined;
  rounds: number;
  done: Done;
  readonly doomed: Set<Session>;
}

const NOTHING: Done = { secret: false, tokens: 0, devices: 0, requests: 0 };

const inTurn = async (said: Leak, by: Principal, parts: Parts): Promise<Outcome> => {
  let first: CredentialAnswer | undefined;
  let progress: Progress | undefined;
  let leak = said;
  for (;;) {
    const outcome = await looked(leak, by, parts);
    if (E.isLeft(outcome)) return outcome;
    const { found } = outcome.right;
    const { answer } = found;
    first ??= found;
    /* By its id from now on: a name goes with the device. */
    leak = { ...leak, ...lostIn(answer), keep: answer.kept };
    progress ??= begun(answer, parts);
    if (answer.plan.length === 0) break;
    if (++progress.rounds > limits.forensics.rounds) return E.left(unfinished(progress.incident));
    const refused = await round(answer, leak, progress, by, parts);
    if (refused !== undefined) return E.left(refused);
  }
  if (progress.opened === undefined) return E.right({ ...first, incident: null });
  await closedAll(progress.doomed, parts);
  return close(first, { ...progress, opened: progress.opened }, by, parts);
};

/** A new incident, or the one about the same thing that was cut short. */
const begun = (answer: BlastRadius, { entropy, ledger }: Parts): Progress => {
  const open = ledger.views.incidents.get(incidentKey(lostIn(answer)));
  const incident = open?.incident ?? entropy.uuid();
  return { incident, opened: open?.seq, rounds: 0, done: NOTHING, doomed: new Set() };
};

const lostIn = ({ credential, device }: BlastRadius): Lost => ({ credential, device });

const unfinished = (id: string): Refusal =>
  refusal(
    'internal',
    `not all of it could be shut out, and incident ${id} stays open: see the log of the gateway, and run it again`,
  );

/** One commit: decided on the views as they are then, whatever has happened since somebody looked. */
const round = async (
  radius: BlastRadius,
  leak: Leak,
  progress: Progress,
  by: Principal,
  parts: Parts,
): Promise<Refusal | undefined> => {
  const { plan, kept } = radius;
  const next = plan.some((step) => step.do === 'rotate-secret') ? parts.secret.prepare() : undefined;
  const doomed = sessionsOf(radius, parts);
  const command = {
    incident: progress.incident,
    ...lostIn(radius),
    since: timeIn(leak.since, parts),
    until: timeIn(leak.until, parts),
    kept,
    plan,
    digest: hash('sha256', JSON.stringify(plan), 'hex'),
    next: next ?? { credential: '', source: '' },
    by,
    opened: progress.opened,
  };
  const outcome = await parts.ledger.decide({
    decide: (views, moment) => contain(views, command, moment),
    answer: (events) => events,
  });
  const events = E.isRight(outcome) ? outcome.right : [];
  if (!events.some((event) => event.type === 'gateway.secret-rotated' && event.data.to === next?.credential))
    next?.undo();
  if (E.isLeft(outcome)) return outcome.left;
  progress.opened ??= events.find(({ type }) => type === 'gateway.incident-opened')?.seq;
  progress.done = sum(progress.done, doneIn(events));
  for (const session of doomed) progress.doomed.add(session);
  return undefined;
};

const doneIn = (events: readonly Event[]): Done => {
  const count = (type: Event['type']): number => events.filter((event) => event.type === type).length;
  return {
    secret: count('gateway.secret-barred') > 0,
    tokens: count('token.revoked'),
    devices: count('device.removed'),
    requests: count('pairing.rejected'),
  };
};

const sum = (a: Done, b: Done): Done => ({
  secret: a.secret || b.secret,
  tokens: a.tokens + b.tokens,
  devices: a.devices + b.devices,
  requests: a.requests + b.requests,
});

const timeIn = (text: string | undefined, { clock }: Parts): number | undefined => {
  const at = text === undefined ? undefined : timeOf(text, clock.now());
  return at !== undefined && E.isRight(at) ? at.right : undefined;
};

/** Sessions that the plan ends. */
const sessionsOf = ({ plan }: BlastRadius, { sessions }: Parts): readonly Session[] => {
  const secrets = new Set(plan.flatMap((step) => (step.do === 'rotate-secret' ? [step.credential] : [])));
  const devices = new Set(plan.flatMap((step) => (step.do === 'remove-device' ? [step.device] : [])));
  const roles = new Set(plan.flatMap((step) => (step.do === 'revoke-token' ? [`${step.device} ${step.role}`] : [])));
  return [...sessions.all()].filter(
    ({ credential = '', device = '', role }) =>
      secrets.has(credential) || devices.has(device) || roles.has(`${device} ${role}`),
  );
};

const LOOK_MS = 20;

/** Waits until the sessions are gone, and their ends are on their way to the log. */
const closedAll = async (doomed: ReadonlySet<Session>, { sessions, clock }: Parts): Promise<void> => {
  for (let waited = 0; waited < limits.forensics.closingMs; waited += LOOK_MS) {
    const open = new Set(sessions.all());
    if (![...doomed].some((session) => open.has(session))) return;
    await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
  }
};

const close = async (
  first: CredentialAnswer,
  progress: Progress & { readonly opened: number },
  by: Principal,
  { ledger }: Parts,
): Promise<Outcome> => {
  const { incident, opened, rounds, done, doomed } = progress;
  const sessions = doomed.size;
  const outcome = await ledger.decide({
    decide: () => closeIncident({ ...lostIn(first.answer), incident, opened, rounds, done, sessions, by }),
    answer: ([event]) => event?.seq,
  });
  return E.map(
    (closed: number | undefined): Contained => ({ ...first, incident, opened, closed, rounds, done, sessions }),
  )(outcome);
};
