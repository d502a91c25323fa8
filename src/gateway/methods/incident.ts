import { hash } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import { closed, flag, listOf, text } from '../../codec.js';
import { type Close, closeIncident, contain, countsOf, cutsOff, type Step } from '../../decisions/contain.js';
import type { Principal } from '../../decisions/principal.js';
import { type Refusal, refusal } from '../../errors.js';
import type { BlastRadius, Leak } from '../../forensics/blast-radius.js';
import { timeOf } from '../../forensics/moments.js';
import type { CredentialAnswer } from '../../forensics/questions.js';
import { limits } from '../../limits.js';
import type { Parts } from '../parts.js';
import type { Session } from '../session.js';
import { readFact } from './audit.js';
import { answer, type Call, type Family, later, method, type Reply, refuse } from './method.js';

/*
 * A credential leaked: everything that derives from it is shut out, as one incident. It is looked for, shut out in one commit, and
 * looked for again, because whoever is being shut out may have been at work meanwhile; when nothing is left the incident is closed.
 */

const said = text(limits.claims.textChars);
const params = closed(
  {},
  {
    credential: said,
    device: said,
    since: said,
    until: said,
    keep: listOf(said, limits.claims.caps),
    dryRun: flag,
  },
);

export const incident: Family = {
  'incident.contain': method(params, ({ dryRun, ...leak }, call) => later(contained(leak, dryRun === true, call))),
};

interface Rounds {
  opened: number | undefined;
  rounds: number;
  readonly done: Step[];
  readonly doomed: Set<Session>;
}

const contained = async (said: Leak, dryRun: boolean, { by, parts }: Call): Promise<Reply> => {
  const incidentId = parts.entropy.uuid();
  const state: Rounds = { opened: undefined, rounds: 0, done: [], doomed: new Set() };
  let first: CredentialAnswer | undefined;
  let leak = said;
  for (;;) {
    const outcome = await parts.desk.ask('credential', leak);
    if (E.isLeft(outcome)) return refuse(outcome.left);
    const found = outcome.right as CredentialAnswer;
    first ??= found;
    /* By ids from now on: a name goes with the device. */
    leak = { ...leak, ...lostIn(found.answer), keep: found.answer.kept };
    const { plan } = found.answer;
    if (cutsOff(by, { ...lostIn(found.answer), plan })) return refuse(refusal('cuts-caller'));
    if (dryRun) return looked(found, leak, by);
    if (plan.length === 0) break;
    if (++state.rounds > limits.forensics.rounds) return refuse(unfinished(incidentId));
    const refused = await round(incidentId, leak, found.answer, state, by, parts);
    if (refused !== undefined) return refuse(refused);
  }
  if (state.opened === undefined) return answer({ ...first, incident: null });
  await closedAll(state.doomed, parts);
  return closing(
    {
      ...state,
      opened: state.opened,
      incident: incidentId,
      credential: first.answer.credential,
      sessions: state.doomed.size,
      by,
    },
    first,
  );
};

/** Nothing but a look, and on the record as one. */
const looked = (found: CredentialAnswer, leak: Leak, by: Principal): Reply => ({
  commit: {
    decide: () => E.right([readFact('credential', leak, found, by)]),
    answer: () => ({ ...found, incident: null }),
  },
});

const lostIn = ({ credential, device }: BlastRadius) => ({ credential, device });

const unfinished = (id: string): Refusal =>
  refusal(
    'internal',
    `what derives from the credential grew as fast as it was shut out; incident ${id} stays open: run it again`,
  );

/** One commit: decided on the views as they are then, whatever has happened since somebody looked. */
const round = async (
  incidentId: string,
  leak: Leak,
  radius: BlastRadius,
  state: Rounds,
  by: Principal,
  parts: Parts,
): Promise<Refusal | undefined> => {
  const { plan, kept } = radius;
  const next = plan.some((step) => step.do === 'rotate-secret') ? parts.secret.prepare() : undefined;
  const doomed = sessionsOf(radius, parts);
  const command = {
    incident: incidentId,
    ...lostIn(radius),
    since: timeIn(leak.since, parts),
    until: timeIn(leak.until, parts),
    kept,
    plan,
    digest: hash('sha256', JSON.stringify(plan), 'hex'),
    next: next ?? { credential: '', source: '' },
    by,
    opened: state.opened,
  };
  const outcome = await parts.ledger.decide({
    decide: (views, moment) => contain(views, command, moment),
    answer: (events) => events.find(({ type }) => type === 'gateway.incident-opened')?.seq,
  });
  if (E.isLeft(outcome)) {
    next?.undo();
    return outcome.left;
  }
  state.opened ??= outcome.right;
  state.done.push(...plan);
  for (const session of doomed) state.doomed.add(session);
  return undefined;
};

const timeIn = (text: string | undefined, { clock }: Parts): number | undefined => {
  const at = text === undefined ? undefined : timeOf(text, clock.now());
  return at !== undefined && E.isRight(at) ? at.right : undefined;
};

/** Sessions that the plan ends. */
const sessionsOf = ({ credential, plan }: BlastRadius, { sessions }: Parts): readonly Session[] => {
  const devices = new Set(plan.flatMap((step) => (step.do === 'remove-device' ? [step.device] : [])));
  const roles = new Set(plan.flatMap((step) => (step.do === 'revoke-token' ? [`${step.device} ${step.role}`] : [])));
  return [...sessions.all()].filter(
    (session) =>
      (credential !== undefined && session.credential === credential) ||
      (session.device !== undefined && (devices.has(session.device) || roles.has(`${session.device} ${session.role}`))),
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

const closing = (close: Close, found: CredentialAnswer): Reply => ({
  commit: {
    decide: () => closeIncident(close),
    answer: ([event]) => ({
      ...found,
      incident: close.incident,
      opened: close.opened,
      closed: event?.seq,
      rounds: close.rounds,
      done: countsOf(close.done),
      sessions: close.sessions,
    }),
  },
});
