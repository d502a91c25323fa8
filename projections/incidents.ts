import { drop, type Projection, put, unchanged } from './projection.js';

/** What was lost: one of the two. */
export interface Lost {
  readonly credential?: string | undefined;
  readonly device?: string | undefined;
}

/** An incident that is being dealt with. */
export interface OpenIncident {
  readonly incident: string;
  /** The event that opened it: the cause of what is done about it. */
  readonly seq: number;
}

export const incidentKey = ({ credential, device }: Lost): string =>
  device === undefined ? `credential:${credential}` : `device:${device}`;

/** Incidents that nobody has closed, by what was lost. */
export const incidents: Projection<OpenIncident> = {
  name: 'incidents',
  version: 1,
  apply: (event, rows) => {
    switch (event.type) {
      case 'gateway.incident-opened':
        return [put(incidentKey(event.data), { incident: event.data.incident, seq: event.seq })];
      case 'gateway.incident-closed':
        return rows.get(incidentKey(event.data))?.incident === event.data.incident
          ? [drop(incidentKey(event.data))]
          : unchanged;
      default:
        return unchanged;
    }
  },
};
