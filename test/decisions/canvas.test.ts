import * as fc from 'fast-check';
import t from 'tap';
import { type Capability, projections } from '../../projections/index.js';
import { capabilityNow, isWorthRecording, mintLink, useCapability } from '../../src/decisions/canvas.js';
import { limits } from '../../src/limits.js';
import { rangeOf } from '../../src/services/canvas/range.js';

/* Who may look at the canvas, by what the views say. */

const { capabilityMs, linkMs, links } = limits.canvas;
const AT = 1_000_000_000;

const CREDENTIALS: Readonly<Record<string, object>> = {
  live: { kind: 'device-token', seq: 1 },
  ended: { kind: 'device-token', seq: 1, endedBy: 2 },
  leaked: { kind: 'secret', seq: 1, leaked: 2 },
};

const given = (rows: Readonly<Record<string, Partial<Capability>>>, paired: readonly string[] = []) =>
  ({
    capabilities: {
      get: (key: string) =>
        rows[key] && { seq: 7, at: AT, capability: 'x', expiresAt: AT + capabilityMs, used: false, ...rows[key] },
      entries: (prefix = '') => Object.entries(rows).filter(([key]) => key.startsWith(prefix)),
    },
    paired: { get: (device: string) => (paired.includes(device) ? {} : undefined) },
    credentials: { get: (credential: string) => CREDENTIALS[credential] },
  }) as never;

const node = { capability: 'x', connection: 'c', device: 'd' };

t.test('given a capability, when somebody looks, then', async (t) => {
  for (const [says, views, at, good] of [
    ['it is good', given({ 'node x': node }, ['d']), AT, true],
    ['it is good to the end of its time', given({ 'node x': node }, ['d']), AT + capabilityMs, true],
    ['its time is over', given({ 'node x': node }, ['d']), AT + capabilityMs + 1, false],
    ['its device is gone', given({ 'node x': node }), AT, false],
    ['a link is good', given({ 'link x': {} }), AT, true],
    ['what was shown for it is good', given({ 'link x': { credential: 'live' } }), AT, true],
    ['what was shown for it has ended', given({ 'link x': { credential: 'ended' } }), AT, false],
    ['others have what was shown for it', given({ 'link x': { credential: 'leaked' } }), AT, false],
    ['nobody knows it', given({ 'node y': node }, ['d']), AT, false],
    ['its other row is no way in', given({ 'of x': node }, ['d']), AT, false],
  ] as const)
    t.equal(capabilityNow(views, 'x', { at }) !== undefined, good, says);
});

t.test('given one that is used, when it is used again, then the log hears of it', async (t) => {
  const used = (at: number, row: Partial<Capability> = node) =>
    useCapability(given({ 'node x': row, 'link x': row }, ['d']), 'x', { at });
  t.match(used(AT), [
    { type: 'canvas.capability-used', cause: 7, data: { expiresAt: AT + capabilityMs, connection: 'c' } },
  ]);
  t.same(used(AT + 1, { ...node, used: true }), [], 'not each time');
  t.match(used(AT + capabilityMs / 2 + 1, { ...node, used: true }), [
    { data: { expiresAt: AT + 1.5 * capabilityMs + 1 } },
  ]);
  t.same(used(AT + capabilityMs + 1), [], 'and not when it is too late');
});

t.test('given nodes at two workers, when one of them is lost, then what its nodes had is gone', async (t) => {
  const rows = new Map<string, Capability>();
  const view = {
    get: (key: string) => rows.get(key),
    entries: (prefix = '') => [...rows].filter(([key]) => key.startsWith(prefix)),
    size: () => rows.size,
  };
  let seq = 0;
  const happens = (type: string, data: object): void => {
    const event = { seq: ++seq, at: AT, type, v: 1, subject: '', actor: { kind: 'gateway', rule: '' }, data };
    for (const change of projections.capabilities.apply(event as never, view)) {
      if ('put' in change) rows.set(change.put, change.row);
      else if ('drop' in change) rows.delete(change.drop);
      else rows.clear();
    }
  };
  const minted = (capability: string, connection?: string, worker?: number): void =>
    happens('canvas.capability-minted', { capability, expiresAt: AT, connection, worker });
  minted('first', 'one', 1);
  minted('second', 'one');
  minted('third', 'two', 2);
  minted('fourth');
  t.same([...rows.keys()], ['node second', 'of one', 'node third', 'of two', 'link fourth']);
  happens('gateway.worker-lost', { worker: 1 });
  t.same([...rows.keys()], ['node third', 'of two', 'link fourth']);
  happens('connection.closed', { connection: 'two' });
  happens('connection.closed', { connection: 'nobody' });
  t.same([...rows.keys()], ['link fourth']);
  happens('gateway.started', {});
  t.equal(rows.size, 0);
});

t.test('a link ends a day after it was made, however it is used', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 1.5 * capabilityMs })), (pauses) => {
      let link = { seq: 7, at: AT, capability: 'x', expiresAt: AT + capabilityMs, used: false };
      let at = AT;
      for (const pause of pauses) {
        at += pause;
        const [fact] = useCapability(given({ 'link x': link }), 'x', { at });
        if (fact?.type === 'canvas.capability-used') link = { ...link, used: true, expiresAt: fact.data.expiresAt };
        if (capabilityNow(given({ 'link x': link }), 'x', { at }) !== undefined) t.ok(at <= AT + linkMs);
        if (at > link.expiresAt) t.notOk(isWorthRecording({ ...link, used: true, expiresAt: at + capabilityMs }, at));
      }
    }),
    { numRuns: 200 },
  );
});

t.test('so many links, and not more', async (t) => {
  const open = Object.fromEntries(Array.from({ length: links }, (_, n) => [`link ${n}`, { expiresAt: AT }]));
  const by = { kind: 'connection', connection: 'c', method: 'token', role: 'operator', scopes: [] } as const;
  t.match(mintLink(given(open), { capability: 'x', by }, { at: AT }), { left: { code: 'too-many-links' } });
  t.match(mintLink(given(open), { capability: 'x', by }, { at: AT + 1 }), {
    right: [{ type: 'canvas.capability-minted' }],
  });
});

t.test('a range lies within what there is', async (t) => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), fc.nat({ max: 1000 }), (noise, from, to, bytes) => {
      for (const header of [noise, `bytes=${from}-${to}`, `bytes=-${to}`, `bytes=${from}-`]) {
        const range = rangeOf(header, bytes);
        if (range === undefined || range === 'unsatisfiable') continue;
        t.ok(range.first >= 0 && range.first <= range.last && range.last < bytes, `${header} of ${bytes}`);
      }
    }),
  );
});
