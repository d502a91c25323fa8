import { Histogram } from '../load/histogram.js';
import { told, totalOf } from '../load/tally.js';
import type { Visitors } from '../load/visitors.js';
import type { Server } from '../servers/server.js';
import { type Lab, measured, type Row, ratesOf, timesOf } from './scenario.js';

/** One client process lets known devices come at a pace: what they feel, beside whatever else is done to the server. */
export const arriving = async (
  { clients, sizes }: Lab,
  server: Server,
  what: string,
  pace: { readonly perSecond: number; readonly seconds: number },
  visitors: Pick<Visitors, 'proxied'> = {},
): Promise<Row> => {
  const run = await measured(server, () =>
    clients.one(0, 'arrive', {
      visitors: { port: server.port, devices: { first: 0, count: sizes.devices }, ...visitors },
      ...pace,
    }),
  );
  const times = Histogram.of(run.result.times);
  return {
    what,
    figures: { ...ratesOf(times.total, run), ...timesOf(times), failed: totalOf(run.result.failed) },
    note: [told(run.result.failed), `client late by at most ${run.result.lateMs.toFixed(0)} ms`]
      .filter(Boolean)
      .join('; '),
  };
};
