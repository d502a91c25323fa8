import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import { erase } from '../../src/decisions/erase.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import { verify } from '../../src/verify/verify.js';
import { asked, folder, openLedger, ticked, write } from '../support/ledger.js';
import { admin } from '../support/people.js';

/* A ledger that a gateway writes to while it is verified. */

t.test(
  'personal data that are erased meanwhile are not missing: the log says so behind what is verified',
  async (t) => {
    const path = folder(t);
    const ledger = await openLedger(path);
    await write(ledger, asked('device', 'request'));
    const source = ledgerSource(path);
    t.teardown(() => source.close());
    await write(ledger, ticked(1));
    const erased = await ledger.decide({
      decide: (views, _, originOf) =>
        erase(views, { subject: { of: 'address' }, events: [1], reason: 'asked for', by: admin }, originOf),
      answer: () => undefined,
    });
    t.ok(E.isRight(erased));
    await ledger.close();
    const { events, damage } = await verify(source, {});
    t.equal(events, 1);
    t.same(
      damage.map((one) => one.class),
      ['checkpoint-missing'],
    );
  },
);
