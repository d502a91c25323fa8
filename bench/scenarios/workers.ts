import { idle } from './idle.js';
import type { Scenario } from './scenario.js';

/** More connections than one process may have descriptors. CPU and memory are those of all its processes. */
export const workers: Scenario = {
  ...idle,
  says: 'an idle crowd over several processes of one gateway (gateway run --workers)',
  minutes: 4,
  servers: ['gateway'],
  workers: 5,
  processes: 6,
  sizes: {
    full: { connections: 90_000, devices: 1_000, seconds: 65, perSecond: 0 },
    quick: { connections: 60, devices: 10, seconds: 1, perSecond: 0 },
  },
  byNameOnly: true,
};
