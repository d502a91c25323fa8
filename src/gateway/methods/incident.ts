import * as E from 'fp-ts/lib/Either.js';
import { closed, flag, listOf, text } from '../../codec.js';
import type { Leak } from '../../forensics/radius.js';
import { limits } from '../../limits.js';
import { contained, looked } from '../containment.js';
import { encoded } from './audit.js';
import { answer, type Call, type Family, later, method, type Reply, refuse } from './method.js';
import { readFact } from './reading.js';

/* What to do when a credential leaked or a device was lost. For admins. */

const said = text(limits.claims.textChars);
const params = closed(
  {},
  {
    credential: said,
    device: said,
    since: said,
    until: said,
    keep: listOf(said, limits.claims.caps),
    dryRun: flag,
  },
);

export const incident: Family = {
  'incident.contain': method(params, ({ dryRun, ...leak }, call) =>
    later(dryRun === true ? look(leak, call) : act(leak, call)),
  ),
};

const act = async (leak: Leak, { by, parts }: Call): Promise<Reply> => {
  const outcome = await contained(leak, by, parts);
  return E.isRight(outcome) ? answer(outcome.right) : refuse(outcome.left);
};

/** Nothing but a look, and on the record as one. */
const look = async (leak: Leak, { by, parts }: Call): Promise<Reply> => {
  const outcome = await looked(leak, by, parts);
  if (E.isLeft(outcome)) return refuse(outcome.left);
  const { told } = outcome.right;
  return {
    commit: { decide: () => E.right([readFact(told, by)]), answer: () => encoded(told, { incident: null }) },
  };
};
