import { attack } from './attack.js';
import { burst, hush } from './broadcast.js';
import { churn } from './churn.js';
import { arrive, introduce, storm } from './connect.js';
import { heardAll, leftOver, letGo, look, open } from './hold.js';
import { ask, work } from './pair.js';
import { call, request } from './request.js';
import { endStalled, stall } from './slow.js';

/** What a client process can be told to do. */
export const tasks = {
  ...{ introduce, storm, arrive },
  ...{ open, look, heardAll, leftOver, letGo },
  ...{ request, call },
  ...{ burst, hush },
  ...{ ask, work },
  ...{ churn, attack },
  ...{ stall, endStalled },
};

export type Tasks = typeof tasks;
