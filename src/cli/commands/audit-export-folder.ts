import * as E from 'fp-ts/lib/Either.js';
import { exit } from '../../errors.js';
import { counted } from '../../forensics/words.js';
import { isDamage } from '../../ledger/damage.js';
import { exportLog, type Progress } from '../../ledger/log-export.js';
import { Reader } from '../../ledger/reader.js';
import { Store } from '../../ledger/store.js';
import { openCheckpoint } from '../../proof/checkpoint.js';
import { type AskOptions, ledgerIn } from '../ask.js';
import { call } from '../call.js';
import { Exit, json, say, tell } from '../output.js';
import { settingsFromHere } from '../reach.js';

/* openclaw audit export DIR: the log as a folder of files that whoever has them can check (C2SP tlog-tiles). */

export const exportFolder = async (folder: string, from: AskOptions, asJson: boolean): Promise<void> => {
  const path = ledgerIn(from.log ?? mustBeHere(from));
  const signed = from.log === undefined ? await freshCheckpoint(from) : undefined;
  const store = new Store({ path, readOnly: true });
  try {
    const text = signed ?? store.checkpoint();
    if (text === undefined) throw new Exit(exit.refused, [`nothing was signed for the log in ${path} yet`]);
    const checkpoint = openCheckpoint(text);
    if (E.isLeft(checkpoint)) throw new Exit(exit.damaged, [`the last checkpoint of ${path} is ${checkpoint.left}`]);
    const exported = await exportLog(new Reader(() => store), checkpoint.right, folder, progress());
    if (E.isLeft(exported))
      throw new Exit(exported.left.kind === 'no-export' ? exit.usage : exit.damaged, [exported.left.why]);
    const { size, root, files, bytes, written } = exported.right;
    if (asJson)
      return json({ version: 1, folder, events: size, bytes, files, written, size, root: root.toString('base64') });
    say(
      `${counted(size, 'event')}, ${bytes} bytes in ${counted(files, 'file')} (${written} written) in ${folder}: size ${size}, root ${root.toString('base64')}`,
    );
  } finally {
    await store.close();
  }
};

/** The files are made from the log itself, and no gateway elsewhere gives that away. */
const mustBeHere = ({ url }: AskOptions): string => {
  const { paths, file } = settingsFromHere();
  if (url !== undefined || file.gateway.mode === 'remote')
    throw new Exit(exit.usage, [
      'a folder is made from the log of this host: run it where the gateway runs, or give a copy of its log with --log',
    ]);
  return paths.ledger;
};

/** Asks for one of all there is, and so it is on the record that all of it is read. Undefined where the log is damaged: the last one stands. */
const freshCheckpoint = async (from: AskOptions): Promise<string | undefined> => {
  try {
    return ((await call('audit.checkpoint', { tiles: true }, from)) as { readonly checkpoint: string }).checkpoint;
  } catch (error) {
    if (!isDamage(error)) throw error;
    tell(`${(error as Error).message}. Going by its last checkpoint; that it was exported is not on the record.`);
    return undefined;
  }
};

/** Events from one word of progress to the next. */
const STRIDE = 100_000;

const progress = (): Progress => {
  let told = 0;
  return (act, events) => {
    const strides = Math.floor(events / STRIDE);
    if (strides !== told && strides > 0) tell(`${strides * STRIDE} events ${act}`);
    told = strides;
  };
};
