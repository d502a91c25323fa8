import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { type Fact, type Origin, subjectOf } from '../../events/index.js';
import { askerOf, type OriginOf, type PendingRequest } from '../../projections/index.js';
import { refusal } from '../errors.js';
import type { Decided, Moment } from './decision.js';
import type { Device } from './device.js';
import { type FreshToken, issue } from './issue.js';
import { actorOf, holds, isAdmin, mayManage, originOf, type Principal, ruleOf } from './principal.js';
import { requestOf, type Step } from './request.js';
import { covers, outsideRoles, union } from './scopes.js';

export interface Approve {
  readonly requestId: string;
  readonly by: Principal;
  readonly fresh: FreshToken;
  readonly originOf: OriginOf;
}

/**
 * Somebody says yes to one pending request, to all of it and to nothing else. Refused when it is gone or superseded, when it
 * is not theirs to decide, or when it asks for more than they hold (protocol.md §6.8).
 */
export const approve = (device: Device | undefined, command: Approve, moment: Moment): Decided =>
  pipe(
    requestOf(device, command.requestId, command.by, 'approval-denied'),
    E.flatMap(theirsToApprove(command.by)),
    E.flatMap(withinTheirScopes(command.by)),
    E.map((request) => grant(request, askerOf(request, command.originOf), device?.paired, command, moment)),
  );

/** A device token decides about its own device, and only an admin about roles other than operator. */
const theirsToApprove =
  (by: Principal): Step<PendingRequest> =>
  (request) =>
    mayManage(by, request.device) && (isAdmin(by) || request.roles.every((role) => role === 'operator'))
      ? E.right(request)
      : E.left(refusal('approval-denied'));

const withinTheirScopes =
  (by: Principal): Step<PendingRequest> =>
  (request) => {
    const [outside] = outsideRoles(request.roles, request.scopes);
    if (outside !== undefined)
      return E.left(refusal('scope-outside-role', `invalid scope for requested roles: ${outside}`));
    const beyond = request.scopes.find((scope) => !holds(by, [scope]));
    return beyond === undefined ? E.right(request) : E.left(refusal('missing-scope', `missing scope: ${beyond}`));
  };

/** The facts of a yes, whoever said it: what the device holds from now on, and the token that carries what was asked. */
export const grant = (
  request: Pick<PendingRequest, 'requestId' | 'device' | 'publicKey' | 'role' | 'roles' | 'scopes' | 'client'> & {
    readonly seq: number | 'previous';
  },
  { displayName, address }: Origin,
  paired: Device['paired'],
  { by, fresh }: { readonly by: Principal; readonly fresh: FreshToken },
  moment: Moment,
): readonly Fact[] => {
  const actor = actorOf(by);
  const before = paired?.tokens[request.role];
  const scopes = union(paired?.scopes ?? [], request.scopes);
  return [
    {
      type: 'pairing.approved',
      subject: subjectOf.device(request.device),
      actor,
      cause: request.seq,
      data: {
        requestId: request.requestId,
        device: request.device,
        publicKey: request.publicKey,
        role: request.role,
        roles: [...union(paired?.roles ?? [], request.roles)],
        scopes: [...scopes],
        client: request.client,
        rule: ruleOf(by),
      },
      origin: { displayName, address, ...originOf(by) },
    },
    ...issue(
      {
        type: 'token.issued',
        device: request.device,
        role: request.role,
        scopes: carried(request, before?.scopes, scopes),
        fresh,
        before,
        by: actor,
      },
      moment,
    ),
  ];
};

/** What the token carries: what was asked; failing that what it carried before, or for an operator all that was granted. */
const carried = (
  { role, scopes }: Pick<PendingRequest, 'role' | 'scopes'>,
  before: readonly string[] | undefined,
  granted: readonly string[],
): readonly string[] => {
  if (scopes.length > 0) return scopes.filter((scope) => covers(role, granted, scope));
  return before ?? (role === 'operator' ? granted : []);
};
