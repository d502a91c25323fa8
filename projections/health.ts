import { clear, type Projection, put, unchanged } from './projection.js';

/** How a component of the gateway is doing, since when. */
export interface ComponentHealth {
  readonly seq: number;
  readonly at: number;
  readonly state: string;
  readonly evidence?: string | undefined;
}

/** Components of which something was said in this run: one that is not here has been well since the start. */
export const health: Projection<ComponentHealth> = {
  name: 'health',
  version: 1,
  apply: (event) => {
    switch (event.type) {
      case 'gateway.started':
        return [clear];
      case 'health.changed': {
        const { component, to, evidence } = event.data;
        return [put(component, { seq: event.seq, at: event.at, state: to, evidence })];
      }
      default:
        return unchanged;
    }
  },
};
