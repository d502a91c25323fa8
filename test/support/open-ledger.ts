import { systemClock } from '../../src/runtime.js';
import { openLedger } from './ledger.js';

/* Opens the ledger in the folder that is named, and says how that went. A process of its own, because it may die of it. */

const [, , path = ''] = process.argv;
try {
  const ledger = await openLedger(path, { clock: systemClock });
  console.log(`opened at ${ledger.log.position}`);
  await ledger.close();
} catch (error) {
  console.log(String(error));
}
