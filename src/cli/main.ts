#!/usr/bin/env node
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
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
    .option('--timeout <ms>', 'time for connecting and for each call', number, TIMEOUT_MS)
    .option('--json', 'answer in JSON');

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

const gateway = program.command('gateway').description('run the gateway, or look at it');

gateway
  .command('run', { isDefault: true })
  .description('run the gateway until it is told to stop')
  .option('--port <port>', 'port to listen on', number)
  .addOption(new Option('--bind <where>', 'loopback, lan or custom').choices(['loopback', 'lan', 'custom', 'auto']))
  .addOption(new Option('--auth <mode>', 'token, password or none').choices(['token', 'password', 'none']))
  .option('--token <token>', 'gateway token (visible to every user of this host: prefer OPENCLAW_GATEWAY_TOKEN)')
  .option('--password <password>', 'gateway password (prefer OPENCLAW_GATEWAY_PASSWORD)')
  .option('--no-auto-approve', "let even this host's own programs wait for a person")
  .option('--new-keys', 'make new keys if they were lost; every device token is dead then', false)
  .option('--allow-unconfigured', 'accepted for compatibility: no configuration is needed')
  .action(async ({ autoApprove, ...options }) => {
    const { run } = await import('./commands/gateway-run.js');
    await run({ ...options, autoApprove: autoApprove === false ? false : undefined });
  });

connecting(gateway.command('status').description('what runs, where, and whether anybody waits')).action(
  async (options: Common) => {
    const { status } = await import('./commands/gateway.js');
    await status(reaching(options), options.json === true);
  },
);
connecting(gateway.command('health').description('is it well')).action(async (options: Common) => {
  const { health } = await import('./commands/gateway.js');
  await health(reaching(options), options.json === true);
});
connecting(gateway.command('probe').description('is a gateway there, and does it let us in')).action(
  async (options: Common) => {
    const { probe } = await import('./commands/gateway.js');
    await probe(reaching(options), options.json === true);
  },
);
connecting(gateway.command('call <method>').description('call any method'))
  .option('--params <json>', 'parameters of the call', '{}')
  .action(async (method: string, options: Common & { readonly params: string }) => {
    const { callMethod } = await import('./commands/gateway.js');
    await callMethod(method, options.params, reaching(options), options.json === true);
  });

connecting(program.command('health').description('is the gateway well')).action(async (options: Common) => {
  const { health } = await import('./commands/gateway.js');
  await health(reaching(options), options.json === true);
});
connecting(program.command('status').description('what runs, where, and whether anybody waits')).action(
  async (options: Common) => {
    const { status } = await import('./commands/gateway.js');
    await status(reaching(options), options.json === true);
  },
);

const devices = program.command('devices').description('who may connect: requests, devices and their tokens');
const onDevices = () => import('./commands/devices.js');

connecting(devices.command('list').description('requests that wait, and devices that are in')).action(
  async (options: Common) => (await onDevices()).list(reaching(options), options.json === true),
);
connecting(devices.command('approve [requestId]').description('let a device in, by the id of its request'))
  .option('--latest', 'show the newest request; nothing is approved without an id')
  .action(async (requestId: string | undefined, options: Common) =>
    (await onDevices()).approve(requestId, reaching(options), options.json === true),
  );
connecting(devices.command('reject <requestId>').description('turn a request down')).action(
  async (requestId: string, options: Common) =>
    (await onDevices()).reject(requestId, reaching(options), options.json === true),
);
connecting(devices.command('remove <deviceId>').description('shut a device out')).action(
  async (deviceId: string, options: Common) =>
    (await onDevices()).remove(deviceId, reaching(options), options.json === true),
);
connecting(devices.command('clear').description('remove every device'))
  .option('--yes', 'yes, every device', false)
  .option('--pending', 'and reject every request', false)
  .action(async (options: Common & { readonly yes: boolean; readonly pending: boolean }) =>
    (await onDevices()).clear({ ...reaching(options), yes: options.yes, pending: options.pending }),
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
  .option('--scope <scope...>', 'what the new token carries')
  .action(async (options: OfDevice) =>
    (await onDevices()).rotate(options.device, options.role, options.scope, reaching(options)),
  );
forDevice('revoke', 'kill the token of a device').action(async (options: OfDevice) =>
  (await onDevices()).revoke(options.device, options.role, reaching(options)),
);
connecting(devices.command('rename <deviceId> <label>').description('give a device a name of yours')).action(
  async (deviceId: string, label: string, options: Common) =>
    (await onDevices()).rename(deviceId, label, reaching(options), options.json === true),
);

const events = program.command('events').description('a plain look at the log');
interface Looking {
  readonly type?: string;
  readonly subject?: string;
  readonly after?: number;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}
const looking = (name: string, description: string, limit?: number): void => {
  events
    .command(name)
    .description(description)
    .option('--type <type>', 'only events of this type, for example pairing.approved')
    .option('--subject <subject>', 'only events about this, for example device:<id>')
    .option('--after <seq>', 'only events after this number', number)
    .option('--limit <n>', 'at most so many', number, limit)
    .option('--follow', 'go on with what comes')
    .option('--json', 'one JSON object a line')
    .action(async (options: Looking) => {
      const { events: show } = await import('./commands/events.js');
      await show({ ...options, follow: options.follow === true, json: options.json === true });
    });
};
looking('list', 'the log from its beginning');
looking('tail', 'the end of the log', 20);

program
  .command('rebuild')
  .description('make the views anew from the log')
  .option('--check', 'only compare them; also while the gateway runs', false)
  .option('--json', 'answer in JSON', false)
  .action(async ({ check, json }: { readonly check: boolean; readonly json: boolean }) => {
    const { checkViews, rebuildViews } = await import('./commands/rebuild.js');
    await (check ? checkViews(json) : rebuildViews(json));
  });

const USAGE = 2;

whenNobodyReads('leave');
try {
  await program.parseAsync();
  process.exitCode ??= 0;
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE;
  else {
    const { code, words } = explained(error);
    for (const line of words) tell(line);
    process.exitCode = code;
  }
}
