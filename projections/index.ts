import { type Approval, approvals } from './approvals.js';
import { type ArchivedSegment, archives } from './archives.js';
import { type Capability, capabilities } from './capabilities.js';
import { type Connected, connected } from './connected.js';
import { type Credential, credentials } from './credentials.js';
import { type GatewayRow, gateway } from './gateway.js';
import { type Grace, graces } from './graces.js';
import { type ComponentHealth, health } from './health.js';
import { incidents, type OpenIncident } from './incidents.js';
import { type Invocation, invocations } from './invocations.js';
import { type PairedDevice, paired } from './paired.js';
import { type PendingRequest, pending } from './pending.js';
import type { Projection, Rows } from './projection.js';
import { type RequestOwner, requests } from './requests.js';
import { type RetentionRow, retention } from './retention.js';
import { type LockedSource, sources } from './sources.js';
import { type Usage, usage } from './usage.js';

export type { Approval } from './approvals.js';
export { type ArchivedSegment, inOrder } from './archives.js';
export { type Capability, capabilityIn, linksIn } from './capabilities.js';
export { type Connected, connectedKey } from './connected.js';
export type { Credential } from './credentials.js';
export { GATEWAY, type GatewayRow } from './gateway.js';
export type { ComponentHealth } from './health.js';
export { incidentKey, type Lost, type OpenIncident } from './incidents.js';
export type { Invocation } from './invocations.js';
export type { DeviceToken, PairedDevice } from './paired.js';
export { type PendingRequest, requestIn } from './pending.js';
export { askerOf, holderOf, nameOf, type OriginOf } from './persons.js';
export type { Change, Projection, Rows } from './projection.js';
export { RETENTION, type RetentionRow } from './retention.js';
export { type LockedSource, sourceKey } from './sources.js';
export type { Usage } from './usage.js';

/** Every view there is, and what its rows are. */
export interface ViewRows {
  pending: PendingRequest;
  requests: RequestOwner;
  paired: PairedDevice;
  connected: Connected;
  credentials: Credential;
  graces: Grace;
  usage: Usage;
  sources: LockedSource;
  gateway: GatewayRow;
  archives: ArchivedSegment;
  retention: RetentionRow;
  incidents: OpenIncident;
  invocations: Invocation;
  approvals: Approval;
  health: ComponentHealth;
  capabilities: Capability;
}

export type ViewName = keyof ViewRows;
export type Views = { readonly [V in ViewName]: Rows<ViewRows[V]> };

export const projections: { readonly [V in ViewName]: Projection<ViewRows[V]> } = {
  pending,
  requests,
  paired,
  connected,
  credentials,
  graces,
  usage,
  sources,
  gateway,
  archives,
  retention,
  incidents,
  invocations,
  approvals,
  health,
  capabilities,
};

export const viewNames = Object.keys(projections) as readonly ViewName[];
