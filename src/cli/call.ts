import type { Settings } from '../config/settings.js';
import { Unreachable } from './client.js';
import { tell } from './output.js';
import { type Reached, type ReachOptions, reach, settingsFromHere } from './reach.js';

/** One call, wherever it can be answered. Once a gateway has let us in it is the one that answers, however long it takes. */
export const call = async (method: string, params: unknown, options: ReachOptions): Promise<unknown> => {
  const settings = settingsFromHere();
  const reached = await reachOrNot(options, settings);
  if (reached === undefined) {
    const { callOffline } = await import('./offline.js');
    tell('The gateway is not running: working on its log.');
    return callOffline(method, params, settings);
  }
  try {
    return await reached.client.call(method, params);
  } finally {
    reached.client.close();
  }
};

/** Undefined if no gateway runs here, and its log may be worked on. */
const reachOrNot = async (options: ReachOptions, settings: Settings): Promise<Reached | undefined> => {
  try {
    return await reach(options, settings);
  } catch (error) {
    const elsewhere = options.url !== undefined || settings.file.gateway.mode === 'remote';
    if (!(error instanceof Unreachable) || elsewhere) throw error;
    return undefined;
  }
};
