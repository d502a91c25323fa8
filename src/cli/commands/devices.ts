import { exit } from '../../errors.js';
import type { DevicesThen } from '../../forensics/state.js';
import { counted, event, time } from '../../forensics/words.js';
import type { PairEntries } from '../../protocol/pairing.js';
import { ask } from '../ask.js';
import { call } from '../call.js';
import { CallRefused } from '../client.js';
import { age, Exit, json, say, table } from '../output.js';
import type { ReachOptions } from '../reach.js';

/* openclaw devices …: over a connection if the gateway runs, else on its log. */

type Pending = PairEntries['pending'][number];
type Paired = PairEntries['paired'][number];

interface Lists {
  readonly pending: readonly Pending[];
  readonly paired: readonly Paired[];
}

const lists = async (options: ReachOptions): Promise<Lists> => (await call('device.pair.list', {}, options)) as Lists;

export const list = async (options: ReachOptions, asJson: boolean): Promise<void> => {
  const { pending, paired } = await lists(options);
  if (asJson) return json({ pending, paired });
  await show({ pending, paired }, Date.now());
};

/** The lists as they were, by replay. */
export const listAt = async (at: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const answered = await ask<DevicesThen>('devices', { at }, options);
  if (asJson) return json(answered);
  const { moment } = answered.answer;
  say(`As of ${time(moment.asOf)}, last ${event(moment.seq)} ${time(moment.at)}`);
  await show(answered.answer, moment.asOf);
};

const show = async ({ pending, paired }: Lists, now: number): Promise<void> => {
  if (pending.length === 0 && paired.length === 0) return say('No device pairing entries.');
  if (pending.length > 0) {
    say(`Pending (${pending.length})`);
    await table(
      ['Request', 'Device', 'Role', 'IP', 'Age', 'Flags'],
      pending.map((request) => pendingRow(request, now)),
    );
    for (const request of pending) for (const line of asks(request)) say(line);
    say();
  }
  if (paired.length > 0) {
    say(`Paired (${paired.length})`);
    await table(['Device', 'Roles', 'Scopes', 'Tokens', 'IP'], paired.map(pairedRow));
  }
};

const pendingRow = (
  { requestId, displayName, deviceId, role, remoteIp, ts, isRepair }: Pending,
  now: number,
): readonly string[] => [
  requestId,
  displayName ?? short(deviceId),
  role,
  remoteIp ?? '',
  age(now - ts),
  isRepair ? 'repair' : '',
];

/** What a yes would grant: shown where the yes is given. */
const asks = ({ requestId, scopes, pinned, platform }: Pending): readonly string[] => [
  `  ${requestId} asks for ${scopes.length === 0 ? 'no scopes' : scopes.join(', ')}`,
  ...(pinned === undefined
    ? []
    : [
        `  ${requestId} claims ${platform ?? 'no platform'}; approved before as ${[pinned.platform, pinned.deviceFamily].filter(Boolean).join(', ')}`,
      ]),
];

const pairedRow = ({ displayName, deviceId, roles, scopes = [], tokens, remoteIp }: Paired): readonly string[] => [
  displayName === undefined ? deviceId : `${displayName}\n${deviceId}`,
  roles.join(', '),
  scopes.join('\n'),
  tokens.map(({ role, revokedAtMs }) => (revokedAtMs === undefined ? role : `${role} (revoked)`)).join(', ') || 'none',
  remoteIp ?? '',
];

const SHORT = 12;
const short = (deviceId: string): string => `${deviceId.slice(0, SHORT)}…`;

/** With an id approves that one. Without, shows what could be approved, and approves nothing: what is newest may be anybody's. */
export const approve = async (requestId: string | undefined, options: ReachOptions, asJson: boolean): Promise<void> => {
  if (requestId === undefined) return preview(options);
  await explainDeviceId(requestId, options);
  const result = (await call('device.pair.approve', { requestId }, options)) as { device: { deviceId: string } };
  if (asJson) json(result);
  else say(`Approved ${result.device.deviceId} (${requestId})`);
};

const preview = async (options: ReachOptions): Promise<void> => {
  const [newest] = (await lists(options)).pending;
  if (newest === undefined) throw new Exit(exit.refused, ['No pending device pairing requests to approve']);
  await table(['Request', 'Device', 'Role', 'IP', 'Age', 'Flags'], [pendingRow(newest, Date.now())]);
  for (const line of asks(newest)) say(line);
  throw new Exit(exit.refused, [
    `Nothing was approved. Approve this exact request with: openclaw devices approve ${newest.requestId}`,
  ]);
};

const DEVICE_ID = /^[0-9a-f]{64}$/i;

/** The mistake of the guide: what was copied is the Device column, not the Request column. */
const explainDeviceId = async (id: string, options: ReachOptions): Promise<void> => {
  if (!DEVICE_ID.test(id)) return;
  const request = (await lists(options)).pending.find(({ deviceId }) => deviceId === id.toLowerCase());
  const next =
    request === undefined
      ? 'it has no pending request: openclaw devices list'
      : `its pending request is ${request.requestId}: openclaw devices approve ${request.requestId}`;
  throw new Exit(exit.refused, [`unknown requestId: that is a device id; ${next}`]);
};

export const reject = async (requestId: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const result = (await call('device.pair.reject', { requestId }, options)) as { deviceId: string };
  if (asJson) json(result);
  else say(`Rejected ${result.deviceId}`);
};

export const remove = async (deviceId: string, options: ReachOptions, asJson: boolean): Promise<void> => {
  const result = await call('device.pair.remove', { deviceId }, options);
  if (asJson) json(result);
  else say(`Removed ${deviceId}`);
};

export interface ClearOptions {
  readonly yes: boolean;
  readonly pending: boolean;
  readonly json: boolean;
}

export const clear = async (options: ReachOptions, { yes, pending, json: asJson }: ClearOptions): Promise<void> => {
  if (!yes) throw new Exit(exit.refused, ['Refusing to clear pairing table without --yes']);
  const listed = await lists(options);
  const removed = listed.paired.map(({ deviceId }) => deviceId);
  for (const deviceId of removed) await call('device.pair.remove', { deviceId }, options);
  const rejected: string[] = [];
  for (const { requestId } of pending ? listed.pending : [])
    if (await rejectIfThere(requestId, options)) rejected.push(requestId);
  if (asJson) return json({ removed, rejected });
  say(`Cleared ${counted(removed.length, 'paired device')}`);
  if (pending) say(`Rejected ${counted(rejected.length, 'pending request')}`);
};

/** A removed device takes its request with it. */
const rejectIfThere = async (requestId: string, options: ReachOptions): Promise<boolean> => {
  try {
    await call('device.pair.reject', { requestId }, options);
    return true;
  } catch (error) {
    if (error instanceof CallRefused && error.message === 'unknown requestId') return false;
    throw error;
  }
};

export const rotate = async (
  deviceId: string,
  role: string,
  scopes: readonly string[] | undefined,
  options: ReachOptions,
): Promise<void> =>
  json(await call('device.token.rotate', { deviceId, role, ...(scopes === undefined ? {} : { scopes }) }, options));

export const revoke = async (deviceId: string, role: string, options: ReachOptions): Promise<void> =>
  json(await call('device.token.revoke', { deviceId, role }, options));

export const rename = async (
  deviceId: string,
  label: string,
  options: ReachOptions,
  asJson: boolean,
): Promise<void> => {
  const result = (await call('device.pair.rename', { deviceId, label }, options)) as { label: string };
  if (asJson) json(result);
  else say(`Renamed ${deviceId} to ${result.label}`);
};
