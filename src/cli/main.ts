#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { exit } from '../errors.js';
import { version } from '../version.js';
import { explained, tell, whenNobodyReads } from './output.js';
import type { ReachOptions } from './reach.js';

/* The command line. Each command is loaded when it is used. */

const TIMEOUT_MS = 10_000;

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.');
  return value;
};

interface Common {
  readonly url?: string;
  readonly token?: string;
  readonly password?: string;
  readonly timeout: number;
  readonly json?: boolean;
}

/** Where to connect, and how to answer. */
const connecting = (command: Command): Command =>
  command
    .option('--url <url>', 'WebSocket address of a gateway elsewhere')
    .option('--token <token>', 'gateway token (an environment variable keeps it out of the process list)')
    .option('--password <password>', 'gateway password')
    .option('--timeout <ms>', 'limit for connecting and for each call', number, TIMEOUT_MS)
    .option('--json', 'print JSON');

const reaching = ({ url, token, password, timeout }: Common): ReachOptions => ({
  url,
  token,
  password,
  timeoutMs: timeout,
});

const program = new Command('openclaw')
  .description('An access gateway that keeps a record of who was let in, and by whom.')
  .version(version)
  .showHelpAfterError('(add --help for the options)')
  .exitOverride();

const gateway = program.command('gateway').description('run the gateway, or ask about the one that runs');

gateway
  .command('run', { isDefault: true })
  .description('run the gateway in the foreground')
  .option('--port <port>', 'port to listen on', number)
  .addOption(new Option('--bind <where>', 'addresses to listen on').choices(['loopback', 'lan', 'custom', 'auto']))
  .addOption(new Option('--auth <mode>', 'how clients authenticate').choices(['token', 'password', 'none']))
  .option('--token <token>', 'gateway token (visible to every user of this host: prefer OPENCLAW_GATEWAY_TOKEN)')
  .option('--password <password>', 'gateway password (prefer OPENCLAW_GATEWAY_PASSWORD)')
  .option('--no-auto-approve', 'approve nothing by rule: programs of this host wait for a person, too')
  .option('--new-keys', 'make new keys if keys.json was lost; this invalidates every device token', false)
  .option('--allow-unconfigured', 'accepted for compatibility: no configuration is needed')
  .action(async ({ autoApprove, ...options }) => {
    const { run } = await import('./commands/gateway-run.js');
    await run({ ...options, autoApprove: autoApprove === false ? false : undefined });
  });

connecting(
  gateway.command('status').description('show the gateway, its address, and how many devices are paired or waiting'),
).action(async (options: Common) => {
  const { status } = await import('./commands/gateway.js');
  await status(reaching(options), options.json === true);
});
connecting(gateway.command('health').description('show the health of the gateway')).action(async (options: Common) => {
  const { health } = await import('./commands/gateway.js');
  await health(reaching(options), options.json === true);
});
connecting(gateway.command('probe').description('check that a gateway answers and lets this device in')).action(
  async (options: Common) => {
    const { probe } = await import('./commands/gateway.js');
    await probe(reaching(options), options.json === true);
  },
);
connecting(gateway.command('call <method>').description('call a method of the gateway'))
  .option('--params <json>', 'parameters of the call, as JSON', '{}')
  .action(async (method: string, options: Common & { readonly params: string }) => {
    const { callMethod } = await import('./commands/gateway.js');
    await callMethod(method, options.params, reaching(options), options.json === true);
  });

connecting(program.command('health').description('show the health of the gateway')).action(async (options: Common) => {
  const { health } = await import('./commands/gateway.js');
  await health(reaching(options), options.json === true);
});
connecting(
  program.command('status').description('show the gateway, its address, and how many devices are paired or waiting'),
).action(async (options: Common) => {
  const { status } = await import('./commands/gateway.js');
  await status(reaching(options), options.json === true);
});

const devices = program.command('devices').description('manage pairing requests, devices and their tokens');
const onDevices = () => import('./commands/devices.js');

connecting(devices.command('list').description('list pending and paired devices')).action(async (options: Common) =>
  (await onDevices()).list(reaching(options), options.json === true),
);
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
interface OfDevice extends Common {
  readonly device: string;
  readonly role: string;
  readonly scope?: readonly string[];
}
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

const events = program.command('events').description('read the event log');
interface Looking {
  readonly type?: string;
  readonly subject?: string;
  readonly after?: number;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}
const looking = (from: 'start' | 'end', command: string, description: string, limit?: number): void => {
  events
    .command(command)
    .description(description)
    .option('--type <type>', 'only events of this type, for example pairing.approved')
    .option('--subject <subject>', 'only events about this, for example device:<id>')
    .option('--after <seq>', 'only events after this number', number)
    .option('--limit <n>', 'maximum number of events', number, limit)
    .option('--follow', 'keep printing new events')
    .option('--json', 'print one JSON object per line')
    .action(async (options: Looking) => {
      const { events: show } = await import('./commands/events.js');
      await show({ ...options, from, follow: options.follow === true, json: options.json === true });
    });
};
looking('start', 'list', 'print events from the beginning of the log');
looking('end', 'tail', 'print the last events of the log', 20);

program
  .command('rebuild')
  .description('rebuild the views from the log')
  .option('--check', 'only compare them with the log; works while the gateway runs', false)
  .option('--json', 'print JSON', false)
  .action(async ({ check, json }: { readonly check: boolean; readonly json: boolean }) => {
    const { checkViews, rebuildViews } = await import('./commands/rebuild.js');
    await (check ? checkViews(json) : rebuildViews(json));
  });

whenNobodyReads('leave');
try {
  await program.parseAsync();
  process.exitCode ??= 0;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exit.done : exit.usage;
  else {
    const { code, words } = explained(error);
    for (const line of words) tell(line);
    process.exitCode = code;
  }
}
