import type { Event, EventOf } from '../../events/index.js';
import { limits } from '../limits.js';
import { type Evidence, type Place, placeOf } from './evidence.js';
import { nameOf } from './people.js';
import type { Act, Use } from './radius.js';

interface Group {
  readonly device?: string | undefined;
  readonly address?: string | undefined;
  connections: number;
  refused: number;
  readonly first: Place;
  last: Place;
  readonly scopes: Set<string>;
  readonly told: Set<string>;
}

/** What was found under the credential, or under one device. */
export class Findings {
  private readonly groups = new Map<string, Group>();
  readonly acts: Act[] = [];

  accepted(event: EventOf<'connection.accepted'>, told: string | undefined): void {
    const group = this.group(event);
    group.connections++;
    for (const scope of event.data.scopes) group.scopes.add(scope);
    if (told !== undefined) group.told.add(told);
  }

  refused(event: EventOf<'connection.refused'>): void {
    this.group(event).refused++;
  }

  /** Of many acts only the first are spelled out, and those that let somebody in. */
  did(event: Event, branch: number | undefined): void {
    if (this.acts.length >= limits.forensics.acts && branch === undefined) return;
    this.acts.push({
      ...placeOf(event),
      type: event.type,
      about: event.subject,
      requestId: 'requestId' in event.data ? event.data.requestId : undefined,
      connection: event.actor.kind === 'connection' ? event.actor.connection : undefined,
      branch,
    });
  }

  uses(evidence: Evidence): readonly Use[] {
    return [...this.groups.values()].map((group) => ({
      ...group,
      name: nameOf(group.device, evidence),
      scopes: [...group.scopes],
      told: [...group.told],
    }));
  }

  private group(event: EventOf<'connection.accepted'> | EventOf<'connection.refused'>): Group {
    const { device } = event.data;
    const address = event.origin?.address;
    const key = `${device ?? ''} ${address ?? ''}`;
    const place = placeOf(event);
    const known = this.groups.get(key);
    if (known !== undefined) {
      known.last = place;
      return known;
    }
    const group = {
      device,
      address,
      connections: 0,
      refused: 0,
      first: place,
      last: place,
      scopes: new Set<string>(),
      told: new Set<string>(),
    };
    this.groups.set(key, group);
    return group;
  }
}
