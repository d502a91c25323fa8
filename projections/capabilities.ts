import type { DataOf } from '../events/index.js';
import { type Change, clear, drop, type Projection, put, type Rows, unchanged } from './projection.js';

/** By which somebody may look at the canvas. */
export interface Capability {
  /** The event by which it was minted. */
  readonly seq: number;
  readonly at: number;
  /** Keyed digest of what is in the URL. */
  readonly capability: string;
  readonly expiresAt: number;
  /** It was used since it was minted. */
  readonly used: boolean;
  /** The node's connection with which it ends. */
  readonly connection?: string | undefined;
  readonly worker?: number | undefined;
  /** What whoever it was minted for had shown: it ends with that. */
  readonly credential?: string | undefined;
  readonly device?: string | undefined;
}

type Capabilities = Pick<Rows<Capability>, 'get'>;

const LINK = 'link ';
const ofNode = (capability: string): string => `node ${capability}`;
const OF = 'of ';
const ofConnection = (connection: string): string => OF + connection;

/** The one with this digest; it may be too old. */
export const capabilityIn = (rows: Capabilities, capability: string): Capability | undefined =>
  rows.get(ofNode(capability)) ?? rows.get(LINK + capability);

/** Links to the canvas that people were given. */
export const linksIn = (rows: Pick<Rows<Capability>, 'entries'>): readonly Capability[] =>
  [...rows.entries(LINK)].map(([, row]) => row);

const keyOf = ({ connection, capability }: Capability): string =>
  connection === undefined ? LINK + capability : ofNode(capability);

/** That of a node lies here twice: by its digest, and by the connection that it ends with. Old links go when a new one is made. */
export const capabilities: Projection<Capability> = {
  name: 'capabilities',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'gateway.started':
        return [clear];
      case 'canvas.capability-minted': {
        const { connection } = event.data;
        const before = connection === undefined ? undefined : rows.get(ofConnection(connection));
        const row: Capability = {
          seq: event.seq,
          at: event.at,
          used: false,
          credential: event.actor.kind === 'connection' ? event.actor.credential : undefined,
          ...event.data,
          worker: event.data.worker ?? before?.worker,
        };
        return connection === undefined
          ? [...oldLinks(rows, event.at), put(keyOf(row), row)]
          : [...ended(rows, connection), put(keyOf(row), row), put(ofConnection(connection), row)];
      }
      case 'canvas.capability-used':
        return used(event.data, rows);
      case 'gateway.worker-lost':
        return [...rows.entries(OF)].flatMap(([, row]) =>
          row.worker === event.data.worker && row.connection !== undefined ? ended(rows, row.connection) : [],
        );
      case 'connection.closed':
        return ended(rows, event.data.connection);
      default:
        return unchanged;
    }
  },
};

const used = ({ capability, expiresAt }: DataOf<'canvas.capability-used'>, rows: Capabilities) => {
  const row = capabilityIn(rows, capability);
  return row === undefined ? unchanged : [put(keyOf(row), { ...row, used: true, expiresAt })];
};

const ended = (rows: Capabilities, connection: string): readonly Change<never>[] => {
  const row = rows.get(ofConnection(connection));
  return row === undefined ? unchanged : [drop(ofConnection(connection)), drop(keyOf(row))];
};

const oldLinks = (rows: Rows<Capability>, now: number): readonly Change<never>[] =>
  linksIn(rows)
    .filter(({ expiresAt }) => expiresAt < now)
    .map((row) => drop(keyOf(row)));
