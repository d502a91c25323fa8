import type { Command } from 'commander';
import { number } from './options.js';

interface Looking {
  readonly type?: string;
  readonly subject?: string;
  readonly after?: number;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** openclaw events …, and rebuild: the log itself. */
export const addEvents = (program: Command): void => {
  const events = program.command('events').description('read the event log');
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
        const { events: show } = await import('../commands/events.js');
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
      const { checkViews, rebuildViews } = await import('../commands/rebuild.js');
      await (check ? checkViews(json) : rebuildViews(json));
    });
};
