import type { Event, EventOf } from '../../events/index.js';
import { nameOf as nameIn } from '../../projections/index.js';
import { erasedBy } from './erasures.js';
import type { Evidence } from './evidence.js';

/** Who caused something, as far as the log knows: the connection, and what it proved when it came. */
export interface Person {
  readonly kind: 'connection' | 'gateway' | 'host';
  /** The named rule, where the gateway did it itself. */
  readonly rule?: string | undefined;
  readonly connection?: string | undefined;
  readonly device?: string | undefined;
  readonly name?: string | undefined;
  readonly method?: string | undefined;
  readonly credential?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly address?: string | undefined;
  readonly osUser?: string | undefined;
  /** The event that erased what else was known of them. */
  readonly erased?: number | undefined;
  /** The event that let the connection in. */
  readonly since?: number | undefined;
}

export const personOf = (event: Event, evidence: Evidence): Person => {
  const { actor, origin } = event;
  switch (actor.kind) {
    case 'gateway':
      return { kind: 'gateway', rule: actor.rule };
    case 'host':
      return { kind: 'host', osUser: origin?.osUser, erased: erasedBy(event, evidence) };
    case 'connection': {
      const { connection, device, method, credential, scopes } = actor;
      const accepted = acceptanceOf(connection, evidence.log);
      return {
        kind: 'connection',
        connection,
        device,
        name: nameOf(device, evidence) ?? accepted?.origin?.displayName,
        method,
        credential,
        scopes,
        address: accepted?.origin?.address,
        osUser: accepted?.origin?.osUser,
        erased: erasedBy(accepted, evidence),
        since: accepted?.seq,
      };
    }
  }
};

export const acceptanceOf = (connection: string, log: Evidence['log']): EventOf<'connection.accepted'> | undefined => {
  for (const event of log.query({ terms: [`connection:${connection}`, 'type:connection.accepted'] }))
    if (event.type === 'connection.accepted') return event;
  return undefined;
};

/** What people call a device. */
export const nameOf = (
  device: string | undefined,
  { views, originOf }: Pick<Evidence, 'views' | 'originOf'>,
): string | undefined => {
  const row = device === undefined ? undefined : views.paired.get(device);
  return row && nameIn(row, originOf);
};
