import * as E from 'fp-ts/lib/Either.js';
import { decode, rulesOf } from '../codec.js';
import { deviceIn } from '../decisions/device.js';
import { catalogue, type Refusal, refusal } from '../errors.js';
import { limits } from '../limits.js';
import { closeCode } from '../protocol/close-codes.js';
import type { Dialect } from '../protocol/dialect.js';
import { failure, type Request, response, type WireError } from '../protocol/frames.js';
import { methods } from './methods/index.js';
import type { Method, Reply } from './methods/method.js';
import { isOfRole, scopeOf } from './methods/required-scopes.js';
import type { Parts } from './parts.js';
import { endSession, may, principalOf, type Session } from './session.js';

/* From a request to its answer: role, then scope, then does it exist, then its params, then what it does (protocol.md §8.3). */

const REPEATED = { code: closeCode.policy, reason: 'repeated unauthorized calls' };

export const dispatch = (request: Request, session: Session, parts: Parts, send: (frame: string) => void): void => {
  const { id, method: name } = request;
  const no = (error: WireError): void => send(failure(id, error));
  if (name === 'connect') return no({ code: 'INVALID_REQUEST', message: 'connect is only valid as the first request' });
  if (!isOfRole(name, session.role)) return refuseRole(request, session, send);
  session.roleRefusals = 0;
  const scope = scopeOf(name);
  if (scope !== undefined && !may(session, scope)) return no(missingScope(scope, session, upgradeOf(session, parts)));
  const method = methods.get(name);
  if (method === undefined) return no({ code: 'INVALID_REQUEST', message: `unknown method: ${name}` });
  const params = decode(method.params, request.params ?? {});
  if (E.isLeft(params))
    return no({
      code: 'INVALID_REQUEST',
      message: method.invalid ?? `invalid ${name} params: ${rulesOf(params.left)}`,
    });
  run(method, params.right, request, session, parts, send);
};

const run = (
  method: Method,
  params: unknown,
  { id }: Request,
  session: Session,
  parts: Parts,
  send: (frame: string) => void,
): void => {
  const no = (refused: Refusal): void => send(failure(id, onWire(refused, session.dialect)));
  const failed = (error: unknown): void => {
    parts.log.gateway.error(`a method failed: ${(error as Error).stack ?? String(error)}`);
    no(refusal('internal'));
  };
  const settle = (reply: Reply): void => {
    if ('answer' in reply) return send(response(id, reply.answer));
    if ('refuse' in reply) return no(reply.refuse);
    if ('later' in reply) return void reply.later.then(settle).catch(failed);
    parts.ledger.commit(reply.commit, (outcome) =>
      E.isRight(outcome) ? send(response(id, outcome.right)) : no(outcome.left),
    );
  };
  try {
    settle(method.run(params, { session, by: principalOf(session), parts }));
  } catch (error) {
    failed(error);
  }
};

/** A refusal in the words of a dialect: in protocol 3 there is no FORBIDDEN. */
const onWire = ({ code, message, details }: Refusal, dialect: Dialect): WireError => {
  const { wire } = catalogue[code];
  const retryable = 'retryable' in catalogue[code] ? { retryable: true } : {};
  const said = 'ours' in catalogue[code] ? { ...details, refusal: code } : details;
  return {
    code: wire === 'FORBIDDEN' && dialect === 3 ? 'INVALID_REQUEST' : wire,
    message,
    ...(said === undefined ? {} : { details: said }),
    ...retryable,
  };
};

/** The request that waits for the rest of what this session asked for when it came, if it still does. */
const upgradeOf = ({ device, upgrade }: Session, { ledger, clock }: Parts): string | undefined =>
  device === undefined || upgrade === undefined
    ? undefined
    : deviceIn(ledger.views, device, { now: clock.now() }).pending?.requestId;

/** Names the request under which the missing scope waits. */
const missingScope = (scope: string, { dialect }: Session, upgrade: string | undefined): WireError => {
  const waiting = upgrade === undefined ? {} : { requestId: upgrade };
  const message = `missing scope: ${scope}`;
  if (dialect === 4)
    return {
      code: 'FORBIDDEN',
      message,
      details: { code: 'MISSING_SCOPE', missingScope: scope, requiredScopes: [scope], ...waiting },
    };
  return {
    code: 'INVALID_REQUEST',
    message,
    ...(upgrade === undefined ? {} : { details: { code: 'MISSING_SCOPE', missingScope: scope, ...waiting } }),
  };
};

/** Whoever goes on calling what is not its role's is let go. */
const refuseRole = ({ id }: Request, session: Session, send: (frame: string) => void): void => {
  send(failure(id, { code: 'INVALID_REQUEST', message: `unauthorized role: ${session.role}` }));
  if (++session.roleRefusals > limits.wire.roleRefusalsInARow)
    endSession(session, REPEATED, { rule: 'repeated-unauthorized' });
};
