import * as E from 'fp-ts/lib/Either.js';
import { GATEWAY, type Views } from '../../../projections/index.js';
import { closed } from '../../codec.js';
import { mintForNode, mintLink } from '../../decisions/canvas.js';
import type { Decided, Moment } from '../../decisions/decision.js';
import { actorOf } from '../../decisions/principal.js';
import { refusal } from '../../errors.js';
import { limits } from '../../limits.js';
import { CANVAS_HOME, canvasUrl } from '../canvas.js';
import { type FreshCapability, freshCapability } from '../canvas-capability.js';
import { type Call, commit, type Family, method, type Reply, refuse } from './method.js';

/* Capabilities to look at the canvas: of a node, in place of the one it has, and as a link for people. */

type Mint = (fresh: FreshCapability, views: Views, moment: Moment) => Decided;

const minted = <A>({ parts }: Call, mint: Mint, told: (capability: string, expiresAtMs: number) => A): Reply => {
  if (parts.settings.canvas === undefined) return refuse(refusal('no-canvas'));
  const fresh = freshCapability(parts.keys, parts.entropy);
  return commit({
    decide: (views, moment) => mint(fresh, views, moment),
    answer: ([event]) => told(fresh.capability, (event?.at ?? 0) + limits.canvas.capabilityMs),
  });
};

const none = closed({}, {});

export const canvas: Family = {
  'node.canvas.capability.refresh': method(none, (_, call) => {
    const { session, by, parts } = call;
    return minted(
      call,
      ({ digest }, _views, moment) =>
        E.right([mintForNode(digest, { connection: session.connection, device: session.device }, actorOf(by), moment)]),
      (canvasCapability, canvasCapabilityExpiresAtMs) => ({
        canvasCapability,
        canvasCapabilityExpiresAtMs,
        canvasHostUrl: canvasUrl(parts.settings.canvas, session.host, canvasCapability),
      }),
    );
  }),

  /** Ours: a way in for a browser. It ends with the run of the gateway, so one that is not there has none to give. */
  'canvas.link': method(none, (_, call) => {
    const { by, parts } = call;
    if (by.kind !== 'connection') return refuse(refusal('no-canvas', 'the gateway is not running'));
    return minted(
      call,
      ({ digest }, views, moment) => mintLink(views, { capability: digest, by }, moment),
      (capability, expiresAtMs) => ({
        url: `${canvasUrl(parts.settings.canvas, reachedAt(call), capability)}${CANVAS_HOME}`,
        expiresAtMs,
      }),
    );
  }),
};

/** By which name and port: the one that whoever asks came by, or of one that came through the socket file the first that we listen on. */
const reachedAt = ({ session, parts: { ledger } }: Call): string => {
  if (session.method !== 'host-proof') return session.host;
  const start = ledger.views.gateway.get(GATEWAY)?.boot?.seq;
  const started = start === undefined ? undefined : ledger.log.event(start);
  return (started?.type === 'gateway.started' ? started.data.listening[0] : undefined) ?? session.host;
};
