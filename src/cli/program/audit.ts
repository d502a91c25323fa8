import { type Command, Option } from 'commander';
import type { Search } from '../../forensics/search.js';
import { limits } from '../../limits.js';
import type { AskOptions } from '../ask.js';
import { type Common, connecting, number, reaching } from './options.js';

const onAudit = () => import('../commands/audit.js');

interface Asking extends Common {
  readonly log?: string;
}

/** A question may look at all of a long log. */
const QUESTION_MS = limits.forensics.questionMs + 10_000;

/** Where to ask: a gateway, its log while it is down, or a copy. */
const asking = (command: Command): Command =>
  connecting(command, QUESTION_MS).option('--log <folder>', 'ask a copy of a log, with no gateway and nothing written');

const askingOf = (options: Asking): AskOptions => ({ ...reaching(options), log: options.log });

/** A page is asked for by its reader, never by a person. */
type Searching = Asking & Omit<Search, 'after'> & { readonly follow?: boolean };

/** What to look for in the log. */
const searching = (command: Command): Command =>
  asking(command)
    .option('--device <id>', 'events that name this device')
    .option('--actor <who>', 'what was done by a device, connection, credential, rule, host or gateway')
    .option('--credential <fingerprint>', 'events that name this credential')
    .option('--connection <id>', 'events that name this connection')
    .option('--request <id>', 'events that name this pairing request')
    .option('--address <ip>', 'events that came from this address')
    .option('--type <type>', 'events of this type, or family: pairing.approved, or pairing')
    .option('--since <time>', 'not before this time: 2026-03-14T09:12:00Z, "2h ago", or the number of an event')
    .option('--until <time>', 'not after this time');

const searchOf = ({
  device,
  actor,
  credential,
  connection,
  request,
  address,
  type,
  since,
  until,
  limit,
}: Searching): Search => ({
  device,
  actor,
  credential,
  connection,
  request,
  address,
  type,
  since,
  until,
  limit,
});

type Exporting = Searching & {
  readonly format: 'jsonl' | 'csv';
  readonly out?: string;
  readonly cursor?: string;
  readonly cursorFile?: string;
  readonly aliveEvery: number;
};

const addExport = (audit: Command): void => {
  searching(
    audit
      .command('export [dir]')
      .description(
        'the log for other systems: each event once, in order, gaps marked; or as a folder that proves itself',
      ),
  )
    .addOption(new Option('--format <format>', 'form of a row').choices(['jsonl', 'csv']).default('jsonl'))
    .option('--out <file>', 'append to a file, after the last row it has')
    .option('--cursor <cursor>', 'go on after the event that an earlier export ended with')
    .option('--cursor-file <file>', 'keep the cursor there, and go on from it')
    .option('--follow', 'go on with what comes', false)
    .option('--alive-every <seconds>', 'while following, a row that says that it still does', number, 60)
    .addHelpText('after', OF_FOLDERS)
    .action(async (dir: string | undefined, options: Exporting, command: Command) => {
      if (dir !== undefined) {
        mustBeOfFolders(command);
        const { exportFolder } = await import('../commands/audit-export-folder.js');
        return exportFolder(dir, askingOf(options), options.json === true);
      }
      const { exportLog } = await import('../commands/audit-export.js');
      const { format, out, cursor, cursorFile, follow, aliveEvery } = options;
      const how = { format, out, cursor, cursorFile, follow: follow === true, aliveEvery };
      await exportLog(searchOf(options), how, askingOf(options));
    });
};

const OF_FOLDERS = `
With <dir> the log is written there as files that whoever has them can check (tlog-tiles): the checkpoint, the tree, and the exact
bytes of every event. Run it again and it adds what is new. Of the options only --log, --json and how to connect go with it.`;

const ALSO_OF_FOLDERS = new Set(['log', 'json', 'url', 'token', 'password', 'timeout']);

/** Whoever filters or formats rows means rows, and would take a folder of everything for what was asked for. */
const mustBeOfFolders = (command: Command): void => {
  const wrong = command.options.find(
    (option) =>
      !ALSO_OF_FOLDERS.has(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (wrong !== undefined) command.error(`${wrong.long}: is for rows, and not for a folder`);
};

const EXAMPLE_RULES = `
A rules file is JSON5. An approval that fits all that a pattern says would be refused:

  {
    autoApproveLocal: false,   // nor would programs of the gateway's host be approved by rule
    refuse: [
      { name: 'CVE-2026-33579', before: '2026-03-28', approverLacks: 'operator.admin', scopes: ['operator.admin'] },
    ],
  }

Patterns know: after, before, rules, methods, approvers, approverLacks, roles, scopes, from, fasterThan.`;

/** openclaw audit …: questions to the log. */
export const addAudit = (program: Command): Command => {
  const audit = program.command('audit').description('ask the log: who, why, when, and what a leak touched');

  asking(
    audit.command('who <id>').description('who let this device in, or decided this request, and everything since'),
  ).action(async (id: string, options: Asking) => (await onAudit()).who(id, askingOf(options), options.json === true));
  asking(
    audit
      .command('why <id>')
      .description('why a connection, or what comes from an address, was refused, and what to change'),
  ).action(async (id: string, options: Asking) => (await onAudit()).why(id, askingOf(options), options.json === true));
  searching(audit.command('log').description('the last events that fit'))
    .option('--limit <n>', 'maximum number of events', number, 100)
    .option('--follow', 'keep printing new events', false)
    .action(async (options: Searching) =>
      (await onAudit()).log(searchOf(options), options.follow === true, askingOf(options), options.json === true),
    );
  asking(audit.command('diff <from> <to>').description('what changed between two moments')).action(
    async (from: string, to: string, options: Asking) =>
      (await onAudit()).diff(from, to, askingOf(options), options.json === true),
  );
  addCredential(audit);
  asking(audit.command('incident <id>').description('the report of an incident: what was done about a leak'))
    .option('--report <file>', 'write the report there: Markdown, or with --json JSON')
    .action(async (id: string, options: Asking & { readonly report?: string }) => {
      const { incidentReport } = await import('../commands/audit-credential.js');
      await incidentReport(id, { report: options.report, json: options.json === true }, askingOf(options));
    });
  addExport(audit);
  addArchive(audit);
  addErase(audit);
  asking(audit.command('rejudge').description("judge every past approval by today's rules, or by given ones"))
    .option('--rules <file>', 'rules to judge by, JSON5')
    .addHelpText('after', EXAMPLE_RULES)
    .action(async (options: Asking & { readonly rules?: string }) =>
      (await onAudit()).rejudge(options.rules, askingOf(options), options.json === true),
    );
  asking(audit.command('stale').description('devices and tokens that nobody has used'))
    .option('--not-seen <time>', 'for how long: 90d, 12h', '90d')
    .action(async (options: Asking & { readonly notSeen: string }) =>
      (await onAudit()).stale(options.notSeen, askingOf(options), options.json === true),
    );
  return audit;
};

interface Archiving extends Common {
  readonly olderThan?: string;
  readonly dryRun: boolean;
  readonly hold?: string | true;
  readonly release: boolean;
  readonly list: boolean;
}

const addArchive = (audit: Command): void => {
  connecting(
    audit
      .command('archive')
      .description('move old ticks and connections to sealed, compressed files, where questions still find them'),
  )
    .option('--older-than <time>', 'what is older than this; as configured if it is not given: 30d')
    .option('--dry-run', 'only say what would be moved', false)
    .option('--hold [reason]', 'from now on nothing is moved, by nobody')
    .option('--release', 'end the hold', false)
    .option('--list', 'the segments there are', false)
    .action(async (options: Archiving) => {
      const { archive } = await import('../commands/audit-archive.js');
      await archive(options, reaching(options), options.json === true);
    });
};

interface Erasing extends Common {
  readonly subject: string;
  readonly reason: string;
  readonly dryRun: boolean;
}

const addErase = (audit: Command): void => {
  connecting(
    audit.command('erase').description('personal data go for good; the log stays whole, and says what was erased'),
    QUESTION_MS,
  )
    .requiredOption('--subject <what>', 'device:<id>, connection:<id>, request:<id> or address:<ip>')
    .requiredOption('--reason <text>', 'why: it stays in the log, so it should name nobody')
    .option('--dry-run', 'only say what would be erased', false)
    .action(async ({ subject, reason, dryRun, ...options }: Erasing) => {
      const { erase } = await import('../commands/audit-erase.js');
      await erase({ subject, reason, dryRun }, reaching(options), options.json === true);
    });
};

interface OfCredential extends Asking {
  readonly device?: string;
  readonly secretFromStdin: boolean;
  readonly since?: string;
  readonly until?: string;
  readonly keep?: readonly string[];
  readonly contain: boolean;
  readonly dryRun: boolean;
  readonly report?: string;
}

const addCredential = (audit: Command): void => {
  asking(
    audit.command('credential [fingerprint]').description('what a leaked credential touched, and how to shut it out'),
  )
    .option('--secret-from-stdin', 'read the credential itself from standard input; it is never printed or kept', false)
    .option('--device <id>', 'instead of a credential: a device that was lost, with all it holds')
    .option('--since <time>', 'when it began to be in other hands')
    .option('--until <time>', 'when it ended to be')
    .option('--keep <device...>', 'devices you vouch for: what they did is not held against them')
    .option('--contain', 'shut out everything that derives from it, as one incident', false)
    .option('--dry-run', 'with --contain: only say what would be done', false)
    .option('--report <file>', 'write the report there: Markdown, or with --json JSON')
    .action(async (fingerprint: string | undefined, options: OfCredential) => {
      const { credential } = await import('../commands/audit-credential.js');
      await credential({ ...options, fingerprint, json: options.json === true }, askingOf(options));
    });
};
