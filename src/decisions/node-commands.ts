import type { Client } from '../../events/index.js';
import { lowered } from '../text.js';

/*
 * What a node may be told to do (protocol.md §8.7): what its platform may do, by the platform that was approved and not by the one it claims
 * today, and what the configuration adds and takes away. What uses a camera, a microphone or the screen, writes to people or sends messages is
 * in no platform's list.
 */

type Platform = 'ios' | 'android' | 'macos' | 'windows' | 'linux' | 'unknown';

const USUAL: readonly (readonly [platforms: readonly Platform[], commands: readonly string[]])[] = [
  [
    ['ios', 'android', 'macos', 'unknown'],
    [
      'canvas.present',
      'canvas.hide',
      'canvas.navigate',
      'canvas.eval',
      'canvas.snapshot',
      'canvas.a2ui.push',
      'canvas.a2ui.pushJSONL',
      'canvas.a2ui.reset',
      'camera.list',
      'location.get',
    ],
  ],
  [
    ['ios', 'android', 'macos'],
    [
      'device.info',
      'device.status',
      'contacts.search',
      'calendar.events',
      'reminders.list',
      'photos.latest',
      'motion.activity',
      'motion.pedometer',
    ],
  ],
  [['android'], ['device.permissions', 'device.health', 'notifications.list', 'notifications.actions']],
  [
    ['macos', 'windows', 'linux'],
    ['system.run.prepare', 'system.run', 'system.which', 'browser.proxy'],
  ],
  [['ios', 'android', 'macos', 'windows', 'linux', 'unknown'], ['system.notify']],
];

/** By the beginning of what a device calls its platform; failing that, by a word in its family. */
const BEGINNINGS: readonly (readonly [beginning: string, platform: Platform])[] = [
  ['ios', 'ios'],
  ['android', 'android'],
  ['mac', 'macos'],
  ['darwin', 'macos'],
  ['win', 'windows'],
  ['linux', 'linux'],
];
const FAMILY_WORDS: readonly (readonly [word: string, platform: Platform])[] = [
  ['iphone', 'ios'],
  ['ipad', 'ios'],
  ['ios', 'ios'],
  ['android', 'android'],
  ['mac', 'macos'],
  ['windows', 'windows'],
  ['linux', 'linux'],
];

export type Described = Pick<Client, 'platform' | 'deviceFamily'>;

export const platformOf = ({ platform, deviceFamily }: Described): Platform =>
  BEGINNINGS.find(([beginning]) => lowered(platform).startsWith(beginning))?.[1] ??
  FAMILY_WORDS.find(([word]) => lowered(deviceFamily).includes(word))?.[1] ??
  'unknown';

/** `gateway.nodes` of the configuration. */
export interface NodeRules {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export const isAllowed = (command: string, client: Described, { allow, deny }: NodeRules): boolean => {
  if (deny.includes(command)) return false;
  const platform = platformOf(client);
  return (
    allow.includes(command) ||
    USUAL.some(([platforms, commands]) => platforms.includes(platform) && commands.includes(command))
  );
};

/** Those of its commands that it may be told. */
export const allowedOf = (declared: readonly string[], client: Described, rules: NodeRules): readonly string[] =>
  declared.filter((command) => isAllowed(command, client, rules));

/** The exec approvals of a node are read and written by methods of their own. */
const RESERVED = ['system.execApprovals.get', 'system.execApprovals.set'];
export const isReserved = (command: string): boolean => RESERVED.includes(command);
