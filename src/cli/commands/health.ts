import type { catalogue } from '../../../events/index.js';
import { exit } from '../../errors.js';
import type { StatusThen } from '../../forensics/state.js';
import { event, time } from '../../forensics/words.js';
import { Reader } from '../../ledger/reader.js';
import type { Standing } from '../../services/health-monitor.js';
import { ask } from '../ask.js';
import { CallRefused } from '../client.js';
import { lineOf } from '../event-lines.js';
import { Exit, json, say } from '../output.js';
import { type ReachOptions, reach } from '../reach.js';
import { openLog } from './events.js';

/* openclaw health: now, as it was, and when it changed. */

export interface HealthResult {
  readonly ok: boolean;
  readonly ts: number;
  readonly log?: { readonly why: string };
}

type Component = Pick<Standing, 'component' | 'state' | 'since'> & { readonly evidence?: string | undefined };

export const health = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const { client, target } = await reach({ ...options, scopes: ['operator.read'] });
  try {
    const started = Date.now();
    const result = (await client.call('health', {})) as HealthResult;
    const ms = Date.now() - started;
    const components = await componentsOf(() => client.call('health.components', {}));
    if (asJson) json(result);
    else {
      say(
        result.ok
          ? `Gateway health: OK (${ms}ms, ${target.url})`
          : `Gateway health: log not writable: ${result.log?.why ?? ''}`,
      );
      show(components.filter(({ state }) => state !== 'ok'));
    }
    if (!result.ok) throw new Exit(exit.notWritable);
  } finally {
    client.close();
  }
};

/** A gateway of another make has none to tell of. */
const componentsOf = async (call: () => Promise<unknown>): Promise<readonly Component[]> => {
  try {
    return ((await call()) as { readonly components: readonly Component[] }).components;
  } catch (error) {
    if (error instanceof CallRefused) return [];
    throw error;
  }
};

const show = (components: readonly Component[]): void => {
  for (const { component, state, since, evidence } of components)
    say(`  ${component.padEnd(12)} ${state} since ${time(since)}${evidence === undefined ? '' : `: ${evidence}`}`);
};

export const healthAt = async (at: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<StatusThen>('status', { at }, options);
  const { moment, running, health } = answered.answer;
  const unwell = health.filter(({ state }) => state !== 'ok');
  if (asJson) return json({ moment, running, health });
  say(`As of ${time(moment.asOf)}, last ${event(moment.seq)} ${time(moment.at)}`);
  if (!running) return say('The gateway was not running.');
  say(unwell.length === 0 ? 'Every component was well.' : `${unwell.length} of its components were not well:`);
  for (const { component, state, since, seq, evidence } of unwell)
    say(
      `  ${component.padEnd(12)} ${state} since ${time(since)} ${event(seq)}${evidence === undefined ? '' : `: ${evidence}`}`,
    );
};

const TOLD = [
  'health.changed',
  'gateway.started',
  'gateway.stopped',
] as const satisfies readonly (keyof typeof catalogue)[];

/** When it degraded: changes, and the runs in which they were. */
export const history = async (asJson: boolean): Promise<void> => {
  const store = openLog();
  try {
    const reader = new Reader(() => store);
    const found = TOLD.flatMap((type) => [...reader.query({ terms: [`type:${type}`] })]).sort((a, b) => a.seq - b.seq);
    for (const one of found) say(asJson ? JSON.stringify(one) : lineOf(one));
    if (found.length === 0 && !asJson) say('Nothing is known of it: no gateway has run here.');
  } finally {
    await store.close();
  }
};
