import { Unreachable } from './client.js';
import { tell } from './output.js';
import { type ReachOptions, reach, settingsFromHere } from './reach.js';

/** One call, wherever it can be answered. */
export const call = async (method: string, params: unknown, options: ReachOptions): Promise<unknown> => {
  const settings = settingsFromHere();
  try {
    const { client } = await reach(options, settings);
    try {
      return await client.call(method, params);
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof Unreachable) || options.url !== undefined || settings.file.gateway.mode === 'remote')
      throw error;
    const { callOffline } = await import('./offline.js');
    tell('The gateway is not running: working on its log.');
    return callOffline(method, params, settings);
  }
};
