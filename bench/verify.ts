import { readFileSync } from 'node:fs';
import { scan } from '../src/ledger/scan.js';
import { Store } from '../src/ledger/store.js';
import { leafHash, TreeEdge } from '../src/proof/merkle.js';
import { openLog } from '../src/verify/places.js';
import { verify } from '../src/verify/verify.js';

/*
 * Verifies a log in a process of its own: `node verify.js <folder>`; how long, and how much memory. With `bare`, only what cannot be left
 * out: each event is read and hashed into a tree.
 */

const anonymousBytes = (): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024;

const bare = (path: string): number => {
  const store = new Store({ path, readOnly: true });
  const edge = TreeEdge.of(0);
  for (const { bytes } of scan(() => store, 1, Number.MAX_SAFE_INTEGER)) edge.push(leafHash(bytes));
  return edge.size;
};

const whole = async (path: string): Promise<number> => {
  const source = await openLog(path);
  const { sound, events, damage } = await verify(source, {});
  const real = damage.filter((one) => one.class !== 'checkpoint-missing');
  if (!sound && real.length > 0) throw new Error(JSON.stringify(real.slice(0, 3)));
  return events;
};

const [, , path = '', how = 'whole'] = process.argv;
let peakBytes = 0;
const watch = setInterval(() => {
  peakBytes = Math.max(peakBytes, anonymousBytes());
}, 50);
const begun = process.cpuUsage();
const events = how === 'bare' ? bare(path) : await whole(path);
const { user, system } = process.cpuUsage(begun);
clearInterval(watch);
console.log(
  JSON.stringify({ cpuSeconds: (user + system) / 1e6, events, peakBytes: Math.max(peakBytes, anonymousBytes()) }),
);
