import { Archiver } from '../../src/ledger/archiver.js';
import { systemClock } from '../../src/runtime.js';
import { openLedger } from './ledger.js';

/* Moves all that may be moved of the ledger in the folder that is named, in small segments. A process of its own, to be killed. */

const [, , path = ''] = process.argv;
const ledger = await openLedger(path, { clock: systemClock });
console.log('begun');
await new Archiver({ ledger, segment: { events: 40, bytes: 1_000_000 } }).run({
  before: Number.MAX_SAFE_INTEGER,
  by: { kind: 'gateway', rule: 'retention' },
});
await ledger.close();
console.log('done');
