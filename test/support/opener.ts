import { Store } from '../../src/ledger/store.js';

/* Opens the ledger in the folder that is named to read it, so many times, and says how often there were no fewer events than the time before. */

const [, , path = '', times = '1'] = process.argv;
let seen = 0;
let good = 0;
for (let n = 0; n < Number(times); n++) {
  const store = new Store({ path, readOnly: true });
  const { last } = store.extent();
  /* It may be as it was before the last commit. */
  if (last >= seen - 1) good++;
  seen = Math.max(seen, last);
  await store.close();
}
console.log(good);
