import t from 'tap';
import { verify } from '../../src/verify/verify.js';
import { folder, openLedger, ticked, write } from './ledger.js';
import { type Recorded, readFrom, sourceOf } from './recorded.js';

const EVENTS = 200;
const HALVES = 2;

/** Small events, that there are not too many bits. */
const small = async (): Promise<Recorded> => {
  const path = folder(t);
  const ledger = await openLedger(path);
  for (let n = 0; n < EVENTS; n++) await write(ledger, ticked(n));
  await ledger.close();
  return readFrom(path);
};

/** Every bit of half of 200 events turned over, one at a time: each is found, and found where it is. Two halves, as this machine has two cores. */
export const everyBit = (half: number): void => {
  t.test(`every bit of the bytes of 200 events: half ${half + 1}`, async (t) => {
    const log = await small();
    const source = sourceOf({ ...log, leaves: log.leaves.map((leaf) => leaf && { ...leaf, origin: null }) });
    t.match(await verify(source, {}), { sound: true, damage: [], events: EVENTS });
    const missed: string[] = [];
    let bits = 0;
    for (let at = half; at < EVENTS; at += HALVES) {
      const bytes = log.leaves[at]?.bytes ?? Buffer.alloc(0);
      for (let bit = 0; bit < bytes.length * 8; bit++, bits++) {
        turn(bytes, bit);
        const { damage } = await verify(source, {});
        turn(bytes, bit);
        const [first] = damage;
        if (first?.class !== 'leaf-changed' || first.from !== at + 1 || first.to !== at + 1)
          missed.push(`event ${at + 1} bit ${bit}: ${JSON.stringify(damage)}`);
      }
    }
    t.same(missed.slice(0, 3), []);
    t.match(await verify(source, {}), { sound: true }, `and it is whole again after ${bits} bits`);
  });
};

export const turn = (bytes: Buffer, bit: number): void => {
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
};
