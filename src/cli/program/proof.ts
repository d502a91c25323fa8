import type { Command } from 'commander';
import { type Common, connecting, number, reaching } from './options.js';

const onProof = () => import('../commands/audit-proof.js');
const onVerify = () => import('../commands/audit-verify.js');

interface Verifying {
  readonly from?: readonly string[];
  readonly policy?: string;
  readonly views?: boolean;
  readonly json?: boolean;
}

/** An option that may be given more than once. */
const also = (value: string, before: readonly string[]): readonly string[] => [...before, value];

interface Proving extends Common {
  readonly request?: string;
  readonly out?: string;
  readonly policy?: boolean;
}

/** openclaw audit checkpoint, prove, verify …: evidence that needs no trust in this gateway. */
export const addProof = (audit: Command): void => {
  connecting(
    audit.command('checkpoint').description('sign what the log is now: keep it where the gateway cannot reach'),
  )
    .option('--policy', 'print a policy file instead, which names the key that signs')
    .action(async (options: Proving) => {
      const { checkpoint } = await onProof();
      await checkpoint({ policy: options.policy === true, json: options.json === true }, reaching(options));
    });

  connecting(audit.command('prove [event]').description('a receipt for one event: proof that it is in the log'))
    .option('--request <id>', 'of the approval of this pairing request')
    .option('--out <file>', 'write the receipt there, for example approval.tlog-proof')
    .action(async (event: string | undefined, options: Proving) => {
      const { prove } = await onProof();
      const { request, out } = options;
      const seq = event === undefined ? undefined : number(event);
      await prove({ event: seq, request, out, json: options.json === true }, reaching(options));
    });

  audit
    .command('verify [place]')
    .description('check every event: of this gateway, or of a folder, an export, a tar file, or a URL')
    .option(
      '--from <checkpoint>',
      'an older checkpoint, kept elsewhere, that the log has to go on from; as often as there are',
      also,
      [],
    )
    .option('--policy <file>', 'whose signatures to believe (C2SP tlog-policy)')
    .option('--views', 'compare the lists of a ledger with what its events make of them, too')
    .option('--json', 'print JSON')
    .action(async (place: string | undefined, { from = [], policy, views, json }: Verifying) => {
      const { verifyLog } = await onVerify();
      await verifyLog(place, { from, policy, views: views === true, json: json === true });
    });

  audit
    .command('check-receipt <file>')
    .description('check a receipt, with nothing but a policy and no network')
    .requiredOption('--policy <file>', 'whose signatures to believe (C2SP tlog-policy)')
    .option('--leaf <file>', 'the exact bytes of the event, of a receipt that does not enclose them')
    .option('--json', 'print JSON')
    .action(async (file: string, { policy, leaf, json }: { policy: string; leaf?: string; json?: boolean }) => {
      const { checkReceiptFile } = await onVerify();
      checkReceiptFile(file, { policy, leaf, json: json === true });
    });

  audit
    .command('accept-fork')
    .description('go on with a log that is older than, or another than, the one last signed for: on the record')
    .requiredOption('--reason <text>', 'why: it is kept in the log')
    .option('--json', 'print JSON')
    .action(async ({ reason, json }: { reason: string; json?: boolean }) => {
      const { acceptFork } = await onProof();
      await acceptFork({ reason, json: json === true });
    });
};
