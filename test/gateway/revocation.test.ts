import fc from 'fast-check';
import t from 'tap';
import type { Event } from '../../events/index.js';
import { limits } from '../../src/limits.js';
import { newKey } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { ALL } from '../support/people.js';
import {
  guestOf,
  LOCAL_PEER,
  operatorOf,
  type Simulated,
  type SimWire,
  secretRotated,
  simulated,
  WITH_SECRET,
} from '../support/simulated.js';

/* Revocation reaches live things: whatever a session's right to be here came from, when that ends, so does the session. */

/** A device that was let in, with two sessions: one by the secret, one by its token. */
const guest = async (gateway: Simulated, operator: SimWire) => {
  const { key, wire: bySecret } = await guestOf(gateway, operator);
  const { deviceToken } = bySecret.hello.auth;
  const byToken = await gateway.connect(key, { auth: { deviceToken } });
  return { key, deviceToken, bySecret, byToken };
};

const REMOVED = { code: 4001, reason: 'device removed' };

t.test('a removed device is out, and must ask anew', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, deviceToken, bySecret, byToken } = await guest(gateway, operator);
  await operator.call('device.pair.remove', { deviceId: key.id });
  t.same([bySecret.closed, byToken.closed], [REMOVED, REMOVED]);
  const byOld = await gateway.connect(key, { auth: { deviceToken } });
  t.match(byOld.answer.error.details, { code: 'AUTH_DEVICE_TOKEN_MISMATCH' });
  const again = await gateway.connect(key, WITH_SECRET);
  t.match(again.answer.error.details, { code: 'PAIRING_REQUIRED', reason: 'not-paired' });
});

t.test('a revoked token is dead at once, for its sessions and for whoever shows it', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, deviceToken, bySecret, byToken } = await guest(gateway, operator);
  await operator.call('device.token.revoke', { deviceId: key.id, role: 'operator' });
  t.same([bySecret.closed, byToken.closed], [REMOVED, REMOVED]);
  const byOld = await gateway.connect(key, { auth: { deviceToken } });
  t.match(byOld.answer.error.details, { code: 'AUTH_DEVICE_TOKEN_MISMATCH' });
  const again = await gateway.connect(key, WITH_SECRET);
  t.not(again.hello.auth.deviceToken, deviceToken, 'the shared secret gets it a new one');
});

t.test('a rotated token works until its successor is used, and then its sessions end', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, deviceToken, byToken } = await guest(gateway, operator);
  const rotated = await operator.call('device.token.rotate', { deviceId: key.id, role: 'operator' });
  t.match(rotated.payload, { deviceId: key.id, tokenDelivery: 'withheld-cross-device' });
  t.same(byToken.closed, REMOVED);

  const inGrace = await gateway.connect(key, { auth: { deviceToken } });
  const successor = inGrace.hello.auth.deviceToken;
  t.not(successor, deviceToken, 'it is told the new one at its own next hello');
  const byNew = await gateway.connect(key, { auth: { deviceToken: successor } });
  t.ok(byNew.hello);
  t.same(inGrace.closed, { code: 1012, reason: 'token replaced: connect again' });
  const late = await gateway.connect(key, { auth: { deviceToken } });
  t.match(late.answer.error.details, { code: 'AUTH_DEVICE_TOKEN_MISMATCH' });
});

t.test('a rotated token whose successor nobody uses dies after ten minutes', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, deviceToken } = await guest(gateway, operator);
  await operator.call('device.token.rotate', { deviceId: key.id, role: 'operator' });
  await gateway.pass(9 * 60_000);
  const inGrace = await gateway.connect(key, { auth: { deviceToken } });
  t.ok(inGrace.hello);
  await gateway.pass(2 * 60_000);
  t.same(inGrace.closed, { code: 1012, reason: 'token replaced: connect again' });
  const late = await gateway.connect(key, { auth: { deviceToken } });
  t.match(late.answer.error.details, { code: 'AUTH_DEVICE_TOKEN_MISMATCH' });
});

t.test('when the gateway secret changes, whoever came with it is out; device tokens are not it', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { bySecret, byToken } = await guest(gateway, operator);
  await gateway.record(secretRotated(gateway.parts.keys.fingerprint(TOKEN), 'another'));
  const changed = { code: 4001, reason: 'gateway auth changed' };
  t.same([operator.closed, bySecret.closed, byToken.closed], [changed, changed, undefined]);
});

t.test('a crowd is let go in slices, and none of it is heard meanwhile', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  const operator = await operatorOf(gateway);
  const { key, wire } = await guestOf(gateway, operator, { scopes: ['operator.pairing', 'operator.read'] });
  const crowd = [wire];
  while (crowd.length < limits.sockets.closedAtOnce + 10)
    crowd.push(await gateway.connect(key, { ...WITH_SECRET, scopes: ['operator.pairing', 'operator.read'] }));
  const last = crowd.at(-1);
  let answers = 0;
  gateway.parts.ledger.listen({
    enforce: (event) => {
      if (event.type !== 'device.removed') return;
      t.equal(crowd.filter(({ closed }) => closed !== undefined).length, limits.sockets.closedAtOnce);
      answers = last?.frames.length ?? 0;
      last?.say({ type: 'req', id: 'late', method: 'device.pair.list', params: {} });
    },
  });
  await operator.call('device.pair.remove', { deviceId: key.id });
  await gateway.settle();
  t.ok(crowd.every(({ closed }) => closed?.code === 4001));
  t.equal(last?.frames.length, answers, 'whose turn had not come was not answered either');
  t.equal(operator.closed, undefined);
});

t.test('the one who revokes itself gets its answer first', async (t) => {
  const gateway = await simulated();
  t.teardown(() => gateway.stop());
  for (const [method, more] of [
    ['device.pair.remove', {}],
    ['device.token.revoke', { role: 'operator' }],
    ['device.token.rotate', { role: 'operator' }],
  ] as const) {
    const key = newKey();
    const self = await gateway.connect(key, { auth: { token: TOKEN }, scopes: ALL }, LOCAL_PEER);
    const answer = await self.call(method, { deviceId: key.id, ...more });
    t.equal(answer.ok, true, method);
    t.same(self.closed, REMOVED, `${method}: and then it is closed`);
  }
});

/* The property: over any history, no session outlives what it came by. The judge reads the log and nothing else. */

const died = (accepted: Event, later: readonly Event[]): boolean => {
  if (accepted.type !== 'connection.accepted') throw new Error('not an acceptance');
  const { device, role, credential } = accepted.data;
  return later.some((event) => {
    switch (event.type) {
      case 'device.removed':
        return event.data.device === device;
      case 'token.revoked':
      case 'token.rotated':
        return event.data.device === device && event.data.role === role;
      case 'token.retired':
        return event.data.credential === credential;
      case 'gateway.secret-rotated':
        return event.data.from === credential;
      default:
        return false;
    }
  });
};

type Op = (world: World) => Promise<void>;
interface World {
  readonly gateway: Simulated;
  operator: SimWire;
  readonly keys: readonly ReturnType<typeof newKey>[];
  /** Every token a device was ever told. */
  readonly tokens: Map<number, string[]>;
  readonly wires: SimWire[];
}

const keep = (world: World, device: number, wire: SimWire): void => {
  world.wires.push(wire);
  const token = wire.hello?.auth?.deviceToken;
  if (token !== undefined) world.tokens.set(device, [...(world.tokens.get(device) ?? []), token]);
};

const DEVICES = 2;
const device = fc.nat(DEVICES - 1);
const role = fc.constantFrom('operator', 'node');
const NODE = { id: 'node-host', mode: 'node' };

/** Lets a device in, as operator and by the secret. */
const settled = async (world: World, device: number): Promise<void> => {
  const asked = await world.gateway.connect(world.keys[device], WITH_SECRET);
  await world.operator.call('device.pair.approve', { requestId: asked.answer.error.details.requestId });
  keep(world, device, await world.gateway.connect(world.keys[device], WITH_SECRET));
};

const bySecret = fc.record({ device, role }).map(
  ({ device, role }): Op =>
    async (world) => {
      const claims = role === 'node' ? { role, client: NODE, scopes: [] } : {};
      keep(world, device, await world.gateway.connect(world.keys[device], { ...WITH_SECRET, ...claims }));
    },
);

const byToken = fc.record({ device, age: fc.constantFrom(0, 0, 1, 2) }).map(
  ({ device, age }): Op =>
    async (world) => {
      const deviceToken = world.tokens.get(device)?.at(-1 - age);
      if (deviceToken === undefined) return;
      keep(world, device, await world.gateway.connect(world.keys[device], { auth: { deviceToken } }));
    },
);

const approveAll = fc.constant<Op>(async ({ operator }) => {
  const { pending } = (await operator.call('device.pair.list')).payload;
  for (const { requestId } of pending) await operator.call('device.pair.approve', { requestId });
});

const end = (method: string) =>
  fc.record({ device, role }).map(
    ({ device, role }): Op =>
      async ({ operator, keys }) => {
        const more = method === 'device.pair.remove' ? {} : { role };
        await operator.call(method, { deviceId: keys[device]?.id, ...more });
      },
  );

const changeSecret = fc.constant<Op>(async (world) => {
  const { gateway } = world;
  /* To another and back: whoever came with it before is out, and may come again. */
  const secret = gateway.parts.keys.fingerprint(TOKEN);
  await gateway.record(secretRotated(secret, 'another'));
  await gateway.record(secretRotated('another', secret));
  world.operator = await operatorOf(gateway);
});

const pass = fc.constantFrom(60_000, 700_000).map(
  (ms): Op =>
    ({ gateway }) =>
      gateway.pass(ms),
);

const leave = fc.nat(9).map(
  (n): Op =>
    async ({ wires }) =>
      wires[n]?.end(1000, ''),
);

const op: fc.Arbitrary<Op> = fc.oneof(
  { arbitrary: bySecret, weight: 2 },
  { arbitrary: byToken, weight: 4 },
  { arbitrary: approveAll, weight: 1 },
  { arbitrary: end('device.token.rotate'), weight: 3 },
  { arbitrary: end('device.token.revoke'), weight: 1 },
  { arbitrary: end('device.pair.remove'), weight: 1 },
  { arbitrary: changeSecret, weight: 1 },
  { arbitrary: pass, weight: 2 },
  { arbitrary: leave, weight: 1 },
);

t.test('property: no open session has outlived its credential, and nothing else was closed as revoked', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 25 }), async (history) => {
      const gateway = await simulated();
      try {
        const keys = Array.from({ length: DEVICES }, newKey);
        const world: World = { gateway, operator: await operatorOf(gateway), keys, tokens: new Map(), wires: [] };
        for (const first of [0, 1]) await settled(world, first);
        for (const next of history) await next(world);
        await gateway.settle();
        const log = [...gateway.parts.ledger.log.range()];
        for (const wire of world.wires) {
          if (wire.hello === undefined) continue;
          const { connId } = wire.hello.server;
          const at = log.findIndex(
            ({ type, data }) => type === 'connection.accepted' && 'connection' in data && data.connection === connId,
          );
          const accepted = log[at];
          if (accepted === undefined) throw new Error('a hello-ok without an acceptance in the log');
          const dead = died(accepted, log.slice(at + 1));
          if (dead && wire.closed === undefined)
            throw new Error(`outlived its credential: ${JSON.stringify(accepted)}`);
          if (!dead && wire.closed?.code === 4001) throw new Error(`closed for nothing: ${JSON.stringify(accepted)}`);
        }
      } finally {
        await gateway.stop();
      }
    }),
    { numRuns: 150 },
  );
});
