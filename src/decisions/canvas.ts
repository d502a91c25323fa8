import * as E from 'fp-ts/lib/Either.js';
import { type Fact, subjectOf } from '../../events/index.js';
import { type Capability, type Credential, capabilityIn, linksIn, type Views } from '../../projections/index.js';
import { refusal } from '../errors.js';
import { limits } from '../limits.js';
import type { Decided, Moment } from './decision.js';
import { actorOf, originOf, type Principal } from './principal.js';

/* Who may look at the canvas: whoever knows a capability that was minted for a node's connection, or as a link for a person. Addresses say nothing. */

type Known = Pick<Views, 'capabilities' | 'credentials' | 'paired'>;

/** A node that comes in gets one, and another when it asks: the one before it ends. */
export const mintForNode = (
  capability: string,
  {
    connection,
    worker,
    device,
  }: {
    readonly connection: string;
    readonly worker?: number | undefined;
    readonly device?: string | undefined;
  },
  actor: Fact['actor'],
  { at }: Pick<Moment, 'at'>,
): Fact => ({
  type: 'canvas.capability-minted',
  subject: subjectOf.connection(connection),
  actor,
  data: { capability, expiresAt: at + limits.canvas.capabilityMs, connection, worker, device },
});

/** A link that ends by itself, or with the device of whoever asked for it. */
export const mintLink = (
  { capabilities }: Known,
  { capability, by }: { readonly capability: string; readonly by: Principal },
  { at }: Pick<Moment, 'at'>,
): Decided => {
  const open = linksIn(capabilities).filter(({ expiresAt }) => at <= expiresAt);
  if (open.length >= limits.canvas.links) return E.left(refusal('too-many-links'));
  return E.right([
    {
      type: 'canvas.capability-minted',
      subject: subjectOf.gateway,
      actor: actorOf(by),
      data: {
        capability,
        expiresAt: at + limits.canvas.capabilityMs,
        device: by.kind === 'connection' ? by.device : undefined,
      },
      origin: originOf(by),
    },
  ]);
};

/** The capability with this digest, if it is good for anything now. */
export const capabilityNow = (
  { capabilities, credentials, paired }: Known,
  digest: string,
  { at }: Pick<Moment, 'at'>,
): Capability | undefined => {
  const found = capabilityIn(capabilities, digest);
  if (found === undefined || found.expiresAt < at) return undefined;
  const { device, credential } = found;
  if (device !== undefined && paired.get(device) === undefined) return undefined;
  return credential !== undefined && isDead(credentials.get(credential)) ? undefined : found;
};

const isDead = (credential: Credential | undefined): boolean =>
  credential?.endedBy !== undefined || (credential?.kind === 'secret' && credential.leaked !== undefined);

/** That it is used: recorded the first time, and again when half of its time has passed, and then it is good for longer. */
export const useCapability = (views: Known, digest: string, { at }: Pick<Moment, 'at'>): readonly Fact[] => {
  const found = capabilityNow(views, digest, { at });
  if (found === undefined || !isWorthRecording(found, at)) return [];
  const { capability, connection, device } = found;
  return [
    {
      type: 'canvas.capability-used',
      subject: connection === undefined ? subjectOf.gateway : subjectOf.connection(connection),
      actor: { kind: 'gateway', rule: 'canvas' },
      cause: found.seq,
      data: { capability, expiresAt: until(found, at), connection, device },
    },
  ];
};

/** Ten minutes from now; a link ends a day after it was made. */
const until = ({ connection, at: minted }: Capability, at: number): number => {
  const { capabilityMs, linkMs } = limits.canvas;
  return connection === undefined ? Math.min(at + capabilityMs, minted + linkMs) : at + capabilityMs;
};

/** The first time, and again when half of its time has passed, if that makes it good for longer. */
export const isWorthRecording = (found: Capability, at: number): boolean =>
  !found.used || (found.expiresAt - at < limits.canvas.capabilityMs / 2 && until(found, at) > found.expiresAt);
