import * as E from 'fp-ts/lib/Either.js';
import { closed, flag, integer, text } from '../../codec.js';
import { refusal } from '../../errors.js';
import { receiptFor } from '../../ledger/receipts.js';
import { vkeyText } from '../../proof/note.js';
import { policyText } from '../../proof/policy.js';
import type { Parts } from '../parts.js';
import { answer, type Call, type Family, later, method, type Reply, refuse } from './method.js';
import { recorded } from './reading.js';

/* What others need to check the log without trusting this gateway. */

export const proof: Family = {
  'audit.checkpoint': method(closed({}, { tiles: flag }), ({ tiles }, call) => later(checkpoint(tiles === true, call))),
  'audit.prove': method(closed({}, { event: integer(1), request: text() }), (asked, call) => later(prove(asked, call))),
};

/** `tiles` says that all of the log is about to be read by it, which is on the record before. */
const checkpoint = async (tiles: boolean, call: Call): Promise<Reply> => {
  const { parts } = call;
  const { ledger, checkpoints } = parts;
  if (tiles) {
    const event = await recorded({ question: 'tiles', upTo: ledger.tip.size, about: {} }, call);
    if (E.isLeft(event)) return refuse(event.left);
  }
  const signed = await checkpoints.now();
  return E.isLeft(signed)
    ? refuse(signed.left)
    : answer({ checkpoint: await parts.witnesses.cosigned(signed.right), origin: checkpoints.origin, ...trust(parts) });
};

/** Whom to believe: the key of this log, and its witnesses. */
const trust = ({ checkpoints, settings }: Parts) => {
  const { vkey } = checkpoints.signer;
  const witnesses = settings.witnesses.map((witness) => witness.vkey);
  return { key: vkeyText(vkey), policy: policyText(vkey, witnesses) };
};

interface Asked {
  readonly event?: number | undefined;
  readonly request?: string | undefined;
}

const prove = async (asked: Asked, call: Call): Promise<Reply> => {
  const { parts } = call;
  const { ledger, checkpoints } = parts;
  const seq = eventOf(asked, parts);
  if (seq === undefined)
    return refuse(
      refusal(
        'unknown-id',
        asked.request === undefined
          ? 'which event? --request or a number'
          : 'no approval of this request is in the log',
      ),
    );
  if (seq > ledger.tip.size) return refuse(refusal('unknown-id', `there is no event ${seq}`));
  const signed = await checkpoints.upTo(seq);
  if (E.isLeft(signed)) return refuse(signed.left);
  const receipt = receiptFor(ledger.log, seq, await parts.witnesses.cosigned(signed.right));
  if (E.isLeft(receipt)) return refuse(refusal('unknown-id', receipt.left));
  const event = await recorded({ question: 'prove', upTo: ledger.tip.size, about: { event: String(seq) } }, call);
  if (E.isLeft(event)) return refuse(event.left);
  return answer({ event: seq, receipt: receipt.right, ...trust(parts) });
};

/** The approval of a request is what people want a receipt for. */
const eventOf = ({ event, request }: Asked, { ledger }: Parts): number | undefined => {
  if (event !== undefined || request === undefined) return event;
  const [approved] = ledger.log.query({ terms: [`request:${request}`, 'type:pairing.approved'] });
  return approved?.seq;
};
