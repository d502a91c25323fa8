import * as E from 'fp-ts/lib/Either.js';
import { decode, rulesOf } from '../codec.js';
import type { Command } from '../decisions/decision.js';
import { deviceIn } from '../decisions/device.js';
import { catalogue, type Refusal, refusal } from '../errors.js';
import { limits } from '../limits.js';
import { closeCode } from '../protocol/close-codes.js';
import type { Dialect } from '../protocol/dialect.js';
import { failure, type Request, response, type WireError } from '../protocol/frames.js';
import { methods } from './methods/index.js';
import type { Method, Readable, Reply } from './methods/method.js';
import { isOfRole, scopeOf } from './methods/required-scopes.js';
import type { Parts } from './parts.js';
import { endSession, may, principalOf, type Session } from './session.js';

/* From a request to its answer: role, then scope, then does it exist, then its params, then what it does (protocol.md §8.3). */

const REPEATED = { code: closeCode.policy, reason: 'repeated unauthorized calls' };

type Send = (frame: string) => void;

export const dispatch = (request: Request, session: Session, parts: Parts, send: Send): void => {
  const allowed = check(request, session, parts, send);
  if (allowed === undefined) return;
  const { method, params } = allowed;
  const answering = new Answering(request.id, session, parts, send, parts.ledger);
  answering.with(() => method.run(params, { session, by: principalOf(session), parts }));
};

/** The same where the log is not written. False if this request has to be answered where it is. */
export const dispatchRead = (request: Request, session: Session, parts: Readable, send: Send): boolean => {
  if (methods.get(request.method)?.read === undefined) return false;
  const allowed = check(request, session, parts, send);
  if (allowed === undefined) return true;
  const { method, params } = allowed;
  const answering = new Answering(request.id, session, parts, send);
  return answering.with(() => method.read?.(params, { session, by: principalOf(session), parts }));
};

export const refuse = (id: string, { dialect }: Session, refused: Refusal, send: Send): void =>
  send(failure(id, onWire(refused, dialect)));

interface Allowed {
  readonly method: Method;
  readonly params: unknown;
}

/** Undefined if it has been answered: it may not, or there is no such method, or its params do not fit. */
const check = (request: Request, session: Session, parts: Readable, send: Send): Allowed | undefined => {
  const { id, method: name } = request;
  const no = (error: WireError): undefined => void send(failure(id, error));
  if (name === 'connect') return no({ code: 'INVALID_REQUEST', message: 'connect is only valid as the first request' });
  if (!isOfRole(name, session.role)) return void refuseRole(request, session, send);
  session.roleRefusals = 0;
  const scope = scopeOf(name);
  if (scope !== undefined && !may(session, scope)) return no(missingScope(scope, session, upgradeOf(session, parts)));
  const method = methods.get(name);
  if (method === undefined) return no({ code: 'INVALID_REQUEST', message: `unknown method: ${name}` });
  const params = decode(method.params, request.params ?? {});
  if (E.isRight(params)) return { method, params: params.right };
  return no({
    code: 'INVALID_REQUEST',
    message: method.invalid ?? `invalid ${name} params: ${rulesOf(params.left)}`,
  });
};

/** One request on its way to its answer. */
class Answering {
  constructor(
    private readonly id: string,
    private readonly session: Session,
    private readonly parts: Readable,
    private readonly send: Send,
    /** Undefined where nothing can be committed. */
    private readonly ledger?: Parts['ledger'],
  ) {}

  /** False if there is no reply here. */
  with(run: () => Reply | undefined): boolean {
    try {
      const reply = run();
      if (reply === undefined) return false;
      this.settle(reply);
    } catch (error) {
      this.failed(error);
    }
    return true;
  }

  private settle(reply: Reply): void {
    if ('answer' in reply) return this.send(response(this.id, reply.answer));
    if ('refuse' in reply) return this.no(reply.refuse);
    if ('commit' in reply) return this.commit(reply.commit);
    if ('accepted' in reply) this.send(response(this.id, reply.accepted));
    reply.later.then((settled) => this.settle(settled)).catch((error: unknown) => this.failed(error));
  }

  private commit(command: Command<unknown>): void {
    if (this.ledger === undefined) throw new Error('a read wants to write');
    this.ledger.commit(command, (outcome) =>
      E.isRight(outcome) ? this.send(response(this.id, outcome.right)) : this.no(outcome.left),
    );
  }

  private failed(error: unknown): void {
    this.parts.log.gateway.error(`a method failed: ${(error as Error).stack ?? String(error)}`);
    this.no(refusal('internal'));
  }

  private no(refused: Refusal): void {
    refuse(this.id, this.session, refused, this.send);
  }
}

/** A refusal in the words of a dialect: in protocol 3 there is no FORBIDDEN. */
const onWire = ({ code, message, details }: Refusal, dialect: Dialect): WireError => {
  const { wire } = catalogue[code];
  const retryable = 'retryable' in catalogue[code] ? { retryable: true, retryAfterMs: limits.wire.retryAfterMs } : {};
  const said = 'ours' in catalogue[code] ? { ...details, refusal: code } : details;
  return {
    code: wire === 'FORBIDDEN' && dialect === 3 ? 'INVALID_REQUEST' : wire,
    message,
    ...(said === undefined ? {} : { details: said }),
    ...retryable,
  };
};

/** The request that waits for the rest of what this session asked for when it came, if it still does. */
const upgradeOf = ({ device, upgrade }: Session, { ledger, clock }: Readable): string | undefined =>
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
const refuseRole = ({ id }: Request, session: Session, send: Send): void => {
  send(failure(id, { code: 'INVALID_REQUEST', message: `unauthorized role: ${session.role}` }));
  if (++session.roleRefusals > limits.wire.roleRefusalsInARow)
    endSession(session, REPEATED, { rule: 'repeated-unauthorized' });
};
