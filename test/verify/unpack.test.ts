import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { create } from 'tar';
import { limits } from '../../src/limits.js';
import { unpacked } from '../../src/verify/unpack.js';
import { folder } from '../support/ledger.js';

t.test('a tar file of too many files is refused before any of them is written', async (t) => {
  const place = folder(t);
  for (let n = 0; n < 4; n++) writeFileSync(join(place, String(n)), '');
  const file = join(folder(t), 'many.tar');
  await create({ file, cwd: place }, ['0', '1', '2', '3']);
  const bounds = limits.proof as { unpackedEntries: number };
  const { unpackedEntries } = bounds;
  t.teardown(() => Object.assign(bounds, { unpackedEntries }));
  bounds.unpackedEntries = 3;
  await t.rejects(unpacked(file), { name: 'BadArchive', message: /more than 3 files/ });
  bounds.unpackedEntries = 4;
  const { remove } = await unpacked(file);
  await remove();
});
