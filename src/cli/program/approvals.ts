import type { Command } from 'commander';
import { type Common, connecting, reaching } from './options.js';

const onApprovals = () => import('../commands/approvals.js');

/** openclaw approvals … */
export const addApprovals = (program: Command): void => {
  const approvals = program
    .command('approvals')
    .description('commands that somebody wants to run, and may if you say so');

  connecting(approvals.command('list').description('what waits for a decision')).action(async (options: Common) =>
    (await onApprovals()).list(reaching(options), options.json === true),
  );
  connecting(approvals.command('allow <id>').description('let it be run'))
    .option('--always', 'and do not ask again for the same', false)
    .action(async (id: string, options: Common & { readonly always: boolean }) =>
      (await onApprovals()).decide(id, options.always ? 'allow-always' : 'allow-once', reaching(options), options),
    );
  connecting(approvals.command('deny <id>').description('do not let it be run')).action(
    async (id: string, options: Common) => (await onApprovals()).decide(id, 'deny', reaching(options), options),
  );
};
