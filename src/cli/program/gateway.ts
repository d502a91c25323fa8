import { type Command, Option } from 'commander';
import { type Common, connecting, number, reaching } from './options.js';

/** openclaw gateway …, and its short forms. */
export const addGateway = (program: Command): void => {
  const gateway = program.command('gateway').description('run the gateway, or ask about the one that runs');

  gateway
    .command('run', { isDefault: true })
    .description('run the gateway in the foreground')
    .option('--port <port>', 'port to listen on', number)
    .addOption(new Option('--bind <where>', 'addresses to listen on').choices(['loopback', 'lan', 'custom', 'auto']))
    .option(
      '--workers <count>',
      'processes that take connections, beside the one that writes the log (0: that one)',
      number,
    )
    .addOption(new Option('--auth <mode>', 'how clients authenticate').choices(['token', 'password', 'none']))
    .option('--token <token>', 'gateway token (visible to every user of this host: prefer OPENCLAW_GATEWAY_TOKEN)')
    .option('--password <password>', 'gateway password (prefer OPENCLAW_GATEWAY_PASSWORD)')
    .option('--no-auto-approve', 'approve nothing by rule: programs of this host wait for a person, too')
    .option('--new-keys', 'make new keys if keys.json was lost; this invalidates every device token', false)
    .option('--allow-unconfigured', 'accepted for compatibility: no configuration is needed')
    .action(async ({ autoApprove, ...options }) => {
      const { run } = await import('../commands/gateway-run.js');
      await run({ ...options, autoApprove: autoApprove === false ? false : undefined });
    });

  connecting(
    gateway.command('status').description('show the gateway, its address, and how many devices are paired or waiting'),
  ).action(async (options: Common) => {
    const { status } = await import('../commands/gateway.js');
    await status(reaching(options), options.json === true);
  });
  connecting(gateway.command('health').description('show the health of the gateway')).action(
    async (options: Common) => {
      const { health } = await import('../commands/health.js');
      await health(reaching(options), options.json === true);
    },
  );
  connecting(gateway.command('probe').description('check that a gateway answers and lets this device in')).action(
    async (options: Common) => {
      const { probe } = await import('../commands/gateway.js');
      await probe(reaching(options), options.json === true);
    },
  );
  connecting(gateway.command('call <method>').description('call a method of the gateway'))
    .option('--params <json>', 'parameters of the call, as JSON', '{}')
    .action(async (method: string, options: Common & { readonly params: string }) => {
      const { callMethod } = await import('../commands/gateway.js');
      await callMethod(method, options.params, reaching(options), options.json === true);
    });

  const health = program.command('health').description('show the health of the gateway');
  connecting(health)
    .option('--at <time>', 'as it was: at a time, or when the event of this number was the last')
    .action(async (options: Common & { readonly at?: string }) => {
      const { health, healthAt } = await import('../commands/health.js');
      await (options.at === undefined
        ? health(reaching(options), options.json === true)
        : healthAt(options.at, reaching(options), options.json === true));
    });
  health
    .command('history')
    .description('when a component was no longer well, and when it was again')
    .action(async () => {
      const { history } = await import('../commands/health.js');
      await history(health.opts<Common>().json === true);
    });
  connecting(
    program.command('status').description('show the gateway, its address, and how many devices are paired or waiting'),
  )
    .option('--at <time>', 'as it was: at a time, or when the event of this number was the last')
    .action(async (options: Common & { readonly at?: string }) => {
      const { status, statusAt } = await import('../commands/gateway.js');
      await (options.at === undefined
        ? status(reaching(options), options.json === true)
        : statusAt(options.at, reaching(options), options.json === true));
    });
};
