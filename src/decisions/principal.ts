import type { Actor, Method, Origin, Role } from '../../events/index.js';
import { ADMIN, coversAll } from './scopes.js';

/**
 * Who asks for a decision: made by the server from verified results, immutable, and mandatory for every verb. Nothing a
 * client says of itself is in it.
 */
export type Principal =
  | {
      readonly kind: 'connection';
      readonly connection: string;
      readonly method: Method;
      readonly role: Role;
      readonly scopes: readonly string[];
      readonly device?: string | undefined;
      readonly credential?: string | undefined;
    }
  /** The owner of the state folder, at the command line, while the gateway is down. */
  | { readonly kind: 'host'; readonly osUser: string }
  /** The gateway itself, by a named rule. */
  | { readonly kind: 'gateway'; readonly rule: string };

export const actorOf = (by: Principal): Actor => {
  switch (by.kind) {
    case 'gateway':
      return { kind: 'gateway', rule: by.rule };
    case 'host':
      return { kind: 'host' };
    case 'connection': {
      const { connection, method, role, scopes, device, credential } = by;
      return { kind: 'connection', connection, method, role, device, credential, scopes: [...scopes] };
    }
  }
};

/** What of the one who decides is personal: it goes beside the event, not into it. */
export const originOf = (by: Principal): Origin | undefined => (by.kind === 'host' ? { osUser: by.osUser } : undefined);

/** Whoever can enter the state folder owns the host. */
export const isAdmin = (by: Principal): boolean =>
  by.kind === 'host' || (by.kind === 'connection' && by.scopes.includes(ADMIN));

/** A session that came by a device token sees and manages only that device, unless it is admin (protocol.md §6.8). */
export const managesAll = (by: Principal): boolean =>
  isAdmin(by) || (by.kind === 'connection' && by.method !== 'device-token');

export const mayManage = (by: Principal, device: string): boolean =>
  managesAll(by) || (by.kind === 'connection' && by.device === device);

/** Its own device, or everybody's if it is admin. */
export const ownsOrAdmin = (by: Principal, device: string): boolean =>
  isAdmin(by) || (by.kind === 'connection' && by.device === device);

/** Nobody grants what they do not hold. */
export const holds = (by: Principal, scopes: readonly string[]): boolean =>
  isAdmin(by) || (by.kind === 'connection' && coversAll('operator', by.scopes, scopes));

/** The named rule under which this principal's yes is recorded. */
export const ruleOf = (by: Principal): string => {
  switch (by.kind) {
    case 'gateway':
      return by.rule;
    case 'host':
      return 'host';
    case 'connection':
      return by.method === 'host-proof' ? 'host-proof' : 'operator';
  }
};
