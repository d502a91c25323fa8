import { userInfo } from 'node:os';
import * as E from 'fp-ts/lib/Either.js';
import { loadKeys } from '../../credentials/keys.js';
import { restore } from '../../decisions/restore.js';
import { exit, remedyOf } from '../../errors.js';
import { replaceFile } from '../../files.js';
import { signingFor } from '../../gateway/signing.js';
import { Checkpoints } from '../../ledger/checkpoints.js';
import type { Fork } from '../../ledger/fork.js';
import { Ledger } from '../../ledger/ledger.js';
import { Store } from '../../ledger/store.js';
import { limits } from '../../limits.js';
import { systemClock, systemEntropy } from '../../runtime.js';
import { plain } from '../../text.js';
import { call } from '../call.js';
import { Exit, json, say, tell } from '../output.js';
import { type ReachOptions, settingsFromHere, UsageError } from '../reach.js';

/* openclaw audit checkpoint, prove, accept-fork: what is signed here and checked elsewhere. */

interface Signed {
  readonly checkpoint: string;
  readonly origin: string;
  readonly key: string;
  readonly policy: string;
}

export const checkpoint = async (asked: { policy: boolean; json: boolean }, from: ReachOptions): Promise<void> => {
  const signed = (await call('audit.checkpoint', {}, from)) as Signed;
  if (asked.json) return json(signed);
  if (asked.policy) {
    process.stdout.write(signed.policy);
    return tell('Whoever has this file can check what this log signs. Hand it over by a way you trust.');
  }
  process.stdout.write(signed.checkpoint);
  tell('Keep it where this gateway cannot reach. Later: openclaw audit verify --from <file>');
};

interface Proving {
  readonly event: number | undefined;
  readonly request: string | undefined;
  readonly out: string | undefined;
  readonly json: boolean;
}

export const prove = async ({ event, request, out, json: asJson }: Proving, from: ReachOptions): Promise<void> => {
  if ((event === undefined) === (request === undefined))
    throw new UsageError('which event? Its number, or --request <id> for the approval of a request');
  const asked = event === undefined ? { request } : { event };
  const proven = (await call('audit.prove', asked, from)) as { event: number; receipt: string; key: string };
  if (out !== undefined) replaceFile(out, proven.receipt, 0o644);
  if (asJson) return json(proven);
  if (out === undefined) process.stdout.write(proven.receipt);
  tell(
    `A receipt for event ${proven.event}${out === undefined ? '' : ` is in ${out}`}. Whoever has the policy can check it: openclaw audit check-receipt ${out ?? '<file>'} --policy <file>`,
  );
};

/** Recorded by the owner of the host, while no gateway runs: one that found the fork did not start. */
export const acceptFork = async (said: { reason: string; json: boolean }): Promise<void> => {
  const reason = plain(said.reason, limits.claims.reasonChars);
  if (reason === undefined) throw new UsageError('--reason: say why, in words');
  const settings = settingsFromHere();
  const { paths, highWaterMark } = settings;
  if (!Store.exists(paths.ledger)) throw new Exit(exit.refused, [`there is no log in ${paths.ledger}`]);
  if (highWaterMark === undefined)
    throw new Exit(exit.refused, [
      'no high-water mark is configured (gateway.audit.highWaterMark): nothing was refused',
    ]);
  const entropy = systemEntropy();
  const onBug = (error: unknown): void => console.error(error);
  const ledger = await Ledger.open({
    path: paths.ledger,
    purpose: 'openclaw audit accept-fork',
    clock: systemClock,
    entropy,
    onBug,
  });
  try {
    const keys = loadKeys(paths.keys, entropy, 'refuse');
    const by = { kind: 'host', osUser: userInfo().username } as const;
    const record = ({ kind, mark, log }: Fork) =>
      ledger.decide({
        decide: () => restore({ found: { kind, mark, size: log.size, root: log.root }, reason, by }),
        answer: ([event]) => event?.seq ?? 0,
      });
    const accepted = await Checkpoints.accept(signingFor({ ledger, keys, settings, entropy }), record);
    if (E.isLeft(accepted)) {
      const { code, message } = accepted.left;
      throw new Exit(code === 'log-not-writable' ? exit.notWritable : exit.refused, [message, remedyOf(code)]);
    }
    const { fork, event, note } = accepted.right;
    if (said.json) return json({ event, fork, checkpoint: note });
    say(
      `Event ${event} says that this log is gone on with, although ${fork.mark.size} events had been signed for where it had ${fork.log.size}.`,
    );
    say('Whoever kept a later checkpoint will see the fork, and this event. The gateway can be started.');
  } finally {
    await ledger.close();
  }
};
