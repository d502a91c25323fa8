import { approvals } from './approvals.js';
import { broadcast } from './broadcast.js';
import { churn } from './churn.js';
import { connectStorm } from './connect-storm.js';
import { hostileCrowd } from './hostile-crowd.js';
import { idle } from './idle.js';
import { pairingFlood } from './pairing.js';
import { reconnectStorm } from './reconnect-storm.js';
import { requests } from './requests.js';
import { revocation } from './revocation.js';
import type { Scenario } from './scenario.js';
import { slowConsumers } from './slow-consumers.js';
import { steadyLoad } from './steady-load.js';
import { workers } from './workers.js';

/** In the order in which they run. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'connect-storm': connectStorm,
  idle,
  'reconnect-storm': reconnectStorm,
  requests,
  broadcast,
  revocation,
  'pairing-flood': pairingFlood,
  approvals,
  'slow-consumers': slowConsumers,
  'hostile-crowd': hostileCrowd,
  'steady-load': steadyLoad,
  churn,
  workers,
};
