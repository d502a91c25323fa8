import type { Command } from 'commander';
import { type Common, connecting, reaching } from './options.js';

const onDevices = () => import('../commands/devices.js');

interface OfDevice extends Common {
  readonly device: string;
  readonly role: string;
  readonly scope?: readonly string[];
}

/** openclaw devices … */
export const addDevices = (program: Command): void => {
  const devices = program.command('devices').description('manage pairing requests, devices and their tokens');

  connecting(devices.command('list').description('list pending and paired devices'))
    .option('--at <time>', 'as they were: at a time, or when the event of this number was the last')
    .action(async (options: Common & { readonly at?: string }) => {
      const { list, listAt } = await onDevices();
      await (options.at === undefined
        ? list(reaching(options), options.json === true)
        : listAt(options.at, reaching(options), options.json === true));
    });
  connecting(devices.command('prune').description('remove devices that have not been here for long'))
    .requiredOption('--not-seen <time>', 'for how long: 90d, 12h')
    .option('--dry-run', 'only say which', false)
    .action(async (options: Common & { readonly notSeen: string; readonly dryRun: boolean }) => {
      const { prune } = await import('../commands/prune.js');
      await prune(options.notSeen, options.dryRun, reaching(options), options.json === true);
    });
  connecting(devices.command('approve [requestId]').description('approve a pairing request'))
    .option('--latest', 'preview the newest request; nothing is approved without an id')
    .action(async (requestId: string | undefined, options: Common) =>
      (await onDevices()).approve(requestId, reaching(options), options.json === true),
    );
  connecting(devices.command('reject <requestId>').description('reject a pairing request')).action(
    async (requestId: string, options: Common) =>
      (await onDevices()).reject(requestId, reaching(options), options.json === true),
  );
  connecting(devices.command('remove <deviceId>').description('remove a paired device')).action(
    async (deviceId: string, options: Common) =>
      (await onDevices()).remove(deviceId, reaching(options), options.json === true),
  );
  connecting(devices.command('clear').description('remove every paired device'))
    .option('--yes', 'confirm removing every device', false)
    .option('--pending', 'reject every pending request, too', false)
    .action(async (options: Common & { readonly yes: boolean; readonly pending: boolean }) =>
      (await onDevices()).clear(reaching(options), { ...options, json: options.json === true }),
    );
  const forDevice = (name: string, description: string): Command =>
    connecting(devices.command(name).description(description))
      .requiredOption('--device <id>', 'device id')
      .requiredOption('--role <role>', 'role of the token');
  forDevice('rotate', 'replace the token of a device')
    .option('--scope <scope...>', 'scopes of the new token')
    .action(async (options: OfDevice) =>
      (await onDevices()).rotate(options.device, options.role, options.scope, reaching(options)),
    );
  forDevice('revoke', 'revoke the token of a device').action(async (options: OfDevice) =>
    (await onDevices()).revoke(options.device, options.role, reaching(options)),
  );
  connecting(devices.command('rename <deviceId> <label>').description('set the label of a device')).action(
    async (deviceId: string, label: string, options: Common) =>
      (await onDevices()).rename(deviceId, label, reaching(options), options.json === true),
  );
};
