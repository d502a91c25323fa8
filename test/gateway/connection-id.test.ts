import t from 'tap';
import { connectionId } from '../../src/gateway/connection-id.js';
import { systemEntropy } from '../../src/runtime.js';

t.test('ids of connections are UUIDs of version 7, in the order of their times', async (t) => {
  const entropy = systemEntropy();
  const times = [0, 1, 1_800_000_000_000, 1_800_000_000_001, 1_800_000_001_000, 2 ** 48 - 1];
  const ids = times.map((now) => connectionId(now, entropy));
  for (const id of ids) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.same([...ids].sort(), ids);
  t.equal(new Set(Array.from({ length: 10_000 }, () => connectionId(7, entropy))).size, 10_000);
});
