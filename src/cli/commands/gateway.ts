import { exit } from '../../errors.js';
import type { StatusThen } from '../../forensics/state.js';
import { event, time } from '../../forensics/words.js';
import { ask } from '../ask.js';
import { device } from '../audit-text.js';
import { CallRefused, ConnectRefused, Unreachable } from '../client.js';
import { Exit, json, say } from '../output.js';
import { type ReachOptions, reach, settingsFromHere, targetOf } from '../reach.js';
import type { HealthResult } from './health.js';

/* openclaw gateway status, health, probe and call, and openclaw health and status. */

export const callMethod = async (
  method: string,
  params: string,
  options: ReachOptions,
  asJson: boolean,
): Promise<void> => {
  const { client } = await reach(options);
  try {
    const payload = await client.call(method, parse(params));
    if (!asJson) say(`Gateway call: ${method}`);
    json(payload);
  } catch (error) {
    if (error instanceof CallRefused) throw new Exit(exit.refused, [`Gateway call failed: Error: ${error.message}`]);
    throw error;
  } finally {
    client.close();
  }
};

const parse = (params: string): unknown => {
  try {
    return JSON.parse(params) as unknown;
  } catch {
    throw new Exit(exit.usage, ['--params must be JSON, for example --params \'{"limit":10}\'']);
  }
};

interface Reachable {
  readonly reachable: boolean;
  readonly url: string;
  readonly source: string;
  readonly server?: string;
  readonly protocol?: number;
  readonly ms?: number;
  readonly error?: string;
}

const look = async (options: ReachOptions): Promise<Reachable> => {
  const target = targetOf(options, settingsFromHere());
  const started = Date.now();
  try {
    const { client, target: reached } = await reach({ ...options, scopes: ['operator.read'], mode: 'probe' });
    const { server, protocol } = client.hello;
    client.close();
    return {
      reachable: true,
      url: reached.url,
      source: reached.source,
      server: server.version,
      protocol,
      ms: Date.now() - started,
    };
  } catch (error) {
    if (!(error instanceof Unreachable) && !(error instanceof ConnectRefused)) throw error;
    return { reachable: false, ...target, error: error.message };
  }
};

/** Is a gateway there, and does it let us in? Exit 0 if it does. */
export const probe = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const found = await look(options);
  if (asJson) json(found);
  else {
    say('Gateway Status');
    say(`Reachable: ${found.reachable ? 'yes' : 'no'}`);
    say(
      `Connect: ${found.reachable ? `ok (${found.ms}ms)` : `failed (${found.error})`} ${found.url} (${found.source})`,
    );
    if (found.reachable) say(`Server: ${found.server}, protocol ${found.protocol}`);
  }
  if (!found.reachable) throw new Exit(exit.refused);
};

interface PairLists {
  readonly pending: readonly unknown[];
  readonly paired: readonly { readonly connected?: boolean }[];
}

/** What runs, where it listens, and whether somebody waits for a decision. */
export const status = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const settings = settingsFromHere();
  const found = await look(options);
  if (!found.reachable) {
    if (asJson) json(found);
    else {
      say(`Gateway: not reachable (${found.error})`);
      say(`Target: ${found.url} (${found.source})`);
      say(`State: ${settings.paths.state}`);
    }
    throw new Exit(exit.refused);
  }
  const { client } = await reach(options, settings);
  try {
    const [pair, alive] = (await Promise.all([client.call('device.pair.list', {}), client.call('health', {})])) as [
      PairLists,
      HealthResult,
    ];
    const counts = {
      pending: pair.pending.length,
      paired: pair.paired.length,
      connected: pair.paired.filter(({ connected }) => connected).length,
    };
    if (asJson)
      return json({
        ...found,
        healthy: alive.ok,
        uptimeMs: client.hello.snapshot.uptimeMs,
        ...counts,
        state: settings.paths.state,
      });
    if (counts.pending > 0)
      say(
        `${counts.pending} ${counts.pending === 1 ? 'request waits' : 'requests wait'} for a decision: openclaw devices list`,
      );
    say(`Gateway: running, version ${found.server}, up ${Math.round((client.hello.snapshot.uptimeMs ?? 0) / 1000)}s`);
    say(`Target: ${found.url} (${found.source})`);
    say(`Health: ${alive.ok ? 'OK' : `log not writable: ${alive.log?.why ?? ''}`}`);
    say(`Devices: ${counts.paired} paired, ${counts.connected} connected, ${counts.pending} pending`);
    say(`State: ${settings.paths.state}`);
  } finally {
    client.close();
  }
};

const SHOWN = 20;
/** A gateway that runs records a tick every five minutes. */
const SILENT_MS = 6 * 60_000;

/** The gateway as it was, by replay. */
export const statusAt = async (at: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<StatusThen>('status', { at }, options);
  if (asJson) return json(answered);
  const { moment, running, boot, secret, paired, pending, connections } = answered.answer;
  say(`As of ${time(moment.asOf)}, last ${event(moment.seq)} ${time(moment.at)}`);
  if (running && moment.asOf - moment.at > SILENT_MS)
    say('The record is silent before that moment for longer than a gateway that runs would be: it may have been down');
  say(
    boot === undefined
      ? 'Gateway: had never run'
      : `Gateway: ${running ? `running since ${time(boot.at)}` : 'stopped'} ${event(boot.seq)}`,
  );
  if (secret !== undefined) say(`Secret: ${secret.credential} ${event(secret.seq)}`);
  say(`Devices: ${paired} paired, ${pending} pending`);
  say(`Connections: ${connections.length}`);
  for (const { connection, device: id, role, method, credential, seq, since } of connections.slice(0, SHOWN))
    say(
      `  ${connection} ${device(id, undefined)} as ${role}, by ${method}${credential === undefined ? '' : ` ${credential}`}, since ${time(since)} ${event(seq)}`,
    );
  if (connections.length > SHOWN) say(`  and ${connections.length - SHOWN} more: --json`);
};
