import { readFileSync } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';
import { exit } from '../../errors.js';
import { counted, time } from '../../forensics/words.js';
import { HighWaterMark, MarkUnusable } from '../../ledger/high-water.js';
import { openCheckpoint } from '../../proof/checkpoint.js';
import { type Policy, parsePolicy } from '../../proof/policy.js';
import { checkReceipt } from '../../proof/receipt.js';
import { verifyApart } from '../../verify/apart.js';
import { type Damage, damageClasses } from '../../verify/damage.js';
import type { Hole } from '../../verify/holes.js';
import type { Kept, Report } from '../../verify/verify.js';
import { span } from '../audit-text.js';
import { Exit, json, say } from '../output.js';
import { settingsFromHere, UsageError } from '../reach.js';

/* openclaw audit verify, check-receipt: what anybody can check, here or anywhere else, with no gateway. */

interface Verifying {
  readonly from: readonly string[];
  readonly policy: string | undefined;
  readonly views: boolean;
  readonly json: boolean;
}

/** Of this gateway, if no place is named: then its high-water mark is a checkpoint that somebody kept. */
export const verifyLog = async (
  place: string | undefined,
  { from, policy, views, json: asJson }: Verifying,
): Promise<void> => {
  const text = policy === undefined ? undefined : fileIn('--policy', policy);
  if (text !== undefined) policyIn(text);
  const older = from.map((file) => keptIn(file));
  const { paths, highWaterMark } = settingsFromHere();
  const marked = place === undefined && highWaterMark !== undefined ? await markIn(highWaterMark) : [];
  const replied = await verifyApart({
    place: place ?? paths.ledger,
    policy: text,
    older: [...older, ...marked],
    views,
  });
  if ('refused' in replied) throw new Exit(exit.refused, [replied.refused]);
  if ('unreadable' in replied) {
    const damage = { class: 'store-unreadable', what: replied.unreadable } satisfies Damage;
    if (asJson) json({ v: 1, log: place ?? paths.ledger, sound: false, damage: [damage] });
    throw new Exit(exit.damaged, [`${damage.class}: ${damage.what}`, 'Restore a backup of the ledger folder.']);
  }
  if (asJson) json(replied.report);
  else for (const line of linesOf(replied.report)) say(line);
  /* Behind its last checkpoint a log that is being written has a few events; a copy that is to be believed has none. */
  const { sound, vouchedUpTo, events } = replied.report;
  const whole = place === undefined || text === undefined || vouchedUpTo >= events;
  if (!sound || !whole) throw new Exit(exit.damaged);
};

const fileIn = (option: string, file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${(error as Error).message}`);
  }
};

const policyIn = (text: string): Policy => {
  const policy = parsePolicy(text);
  if (E.isLeft(policy)) throw new UsageError(`--policy: ${policy.left}`);
  return policy.right;
};

const keptIn = (file: string): Kept => {
  const note = fileIn('--from', file);
  const opened = openCheckpoint(note);
  if (E.isLeft(opened)) throw new UsageError(`--from: ${file}: ${opened.left}`);
  return { name: file, note };
};

/** One that is not there says nothing here: the start of the gateway says so. */
const markIn = async (path: string): Promise<readonly Kept[]> => {
  try {
    const note = await new HighWaterMark(path).read();
    return note === undefined ? [] : [{ name: `the high-water mark ${path}`, note }];
  } catch (error) {
    throw error instanceof MarkUnusable ? new Exit(exit.refused, [error.message]) : error;
  }
};

/** Kinds of damage, and holes, that are told one by one. */
const TOLD = 20;

function* linesOf(report: Report): Iterable<string> {
  const { checkpoint, damage, holes } = report;
  yield report.log;
  yield `  events        ${report.events.toLocaleString('en')} (${report.bytes.toLocaleString('en')} bytes), root ${report.root}`;
  if (checkpoint !== undefined) {
    yield `  checkpoint    ${checkpoint.size.toLocaleString('en')} events of ${checkpoint.origin}`;
    if (checkpoint.signedBy !== undefined) yield `  signed by     ${checkpoint.signedBy}`;
    for (const { witness, at } of checkpoint.cosigned ?? []) yield `  cosigned by   ${witness}, ${time(at)}`;
  }
  for (const { name, size } of report.extends) yield `  goes on from  ${name} (${size.toLocaleString('en')} events)`;
  yield `  integrity     ${damage.length === 0 ? 'sound' : counted(damage.length, 'finding')}`;
  for (const one of damage.slice(0, TOLD)) yield `    ${toldOf(one)}`;
  if (damage.length > TOLD) yield `    and ${damage.length - TOLD} more; --json has all of them`;
  yield `  completeness  ${holes.length === 0 ? 'no holes that the log knows of' : counted(holes.length, 'hole')}`;
  for (const hole of holes.slice(0, TOLD)) yield `    ${holeIn(hole)}`;
  const more = holes.length - TOLD + Object.values(report.more).reduce((sum, n) => sum + n, 0);
  if (more > 0) yield `    and ${more} more; --json has the first thousand of each kind`;
  yield verdictOn(report);
}

const toldOf = ({ class: kind, from, to, what }: Damage): string =>
  `${kind.padEnd(16)} ${from === undefined ? '' : from === to ? `event ${from}: ` : `events ${from} to ${to}: `}${damageClasses[kind]}: ${what}`;

const verdictOn = ({ sound, events, vouchedUpTo, checkpoint, views }: Report): string => {
  if (!sound) return 'DAMAGED: this is not the log that was recorded.';
  const lists = views === 'not compared' ? ' Its lists were not compared with it: --views.' : '';
  if (vouchedUpTo === 0)
    return `Sound in itself. That it is the log that was recorded is known against something kept elsewhere: --policy, --from.${lists}`;
  if (vouchedUpTo >= events) return `Sound: every event is what was signed for.${lists}`;
  const by = checkpoint?.signedBy === undefined ? 'a checkpoint that was kept' : checkpoint.signedBy;
  return `Sound up to event ${vouchedUpTo}, by ${by}. Nobody vouches for events ${vouchedUpTo + 1} to ${events}.${lists}`;
};

const holeIn = (hole: Hole): string => {
  switch (hole.kind) {
    case 'not-running':
      return `not running   ${time(hole.from)} to ${time(hole.to)} (${span(hole.to - hole.from)}), ${hole.stopped ? 'stopped' : 'cut short'}, after event ${hole.after}`;
    case 'clock-jumped':
      return `clock set     by ${hole.byMs} ms, event ${hole.event}`;
    case 'summarised':
      return `summarised    ${counted(hole.refusals, 'refusal')} counted and not told apart, in ${counted(hole.events, 'event')} from ${hole.first} to ${hole.last}`;
    case 'erased':
      return `erased        personal data of ${counted(hole.events, 'event')}, ${time(hole.at)}, event ${hole.event}: ${hole.reason}`;
    case 'restored':
      return `restored      an older or another copy was gone on with: ${hole.had} events where ${hole.signedFor} had been signed for, ${time(hole.at)}, event ${hole.event}: ${hole.reason}`;
    case 'unsigned':
      return `not signed    events ${hole.from} to ${hole.to}: no checkpoint covers them yet`;
  }
};

interface Checking {
  readonly policy: string;
  readonly leaf: string | undefined;
  readonly json: boolean;
}

export const checkReceiptFile = (file: string, { policy, leaf, json: asJson }: Checking): void => {
  const trusted = policyIn(fileIn('--policy', policy));
  const bytes = leaf === undefined ? undefined : leafIn(leaf);
  const checked = checkReceipt(fileIn('receipt', file), trusted, bytes);
  if (E.isLeft(checked)) {
    const { step, why } = checked.left;
    if (asJson) json({ v: 1, proven: false, step, why });
    throw new Exit(exit.damaged, [`${file} proves nothing: it fails at the step "${step}": ${why}`]);
  }
  const { origin, size, index, cosigned, since, leaf: event } = checked.right;
  const text = event.toString();
  if (asJson) return json({ v: 1, proven: true, origin, size, event: index + 1, cosigned, since, leaf: text });
  say(text);
  say(`Proven: this is event ${index + 1} of ${origin}, of which ${size} events were signed for.`);
  for (const { witness, at } of cosigned) say(`${witness} saw that log at ${time(at)}.`);
};

const leafIn = (file: string): Buffer => {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`--leaf: ${(error as Error).message}`);
  }
};
