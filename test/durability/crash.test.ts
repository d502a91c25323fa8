import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { Event } from '../../events/index.js';
import { Reader } from '../../src/ledger/reader.js';
import { check } from '../../src/ledger/rebuild.js';
import { Store } from '../../src/ledger/store.js';
import { ledgerSource } from '../../src/verify/ledger-source.js';
import { verify } from '../../src/verify/verify.js';
import { connect, type Key, newKey, REMOTE, type Wire } from '../support/device.js';
import { TOKEN } from '../support/gateway.js';
import { gatewayProcess, stateFolder } from '../support/process.js';
import { seeded } from '../support/world.js';

/*
 * SIGKILL at random moments, under a load of pairings, approvals, rotations and connects. Whatever somebody was told must be in the
 * log, once; the views must be what the log makes of them; and a device that was let in gets in again with what it was given.
 * CRASH_ROUNDS and CRASH_SEED run it longer, or the same again.
 */

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 50);
const SEED = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
const WORKERS = 4;
const WAITING = 16;

/** A device that was approved. */
interface Device {
  readonly key: Key;
  /** The last that it was told. */
  token: string;
  /** Whether that is its token: not if the gateway died before it could tell of a rotation. */
  certain: boolean;
}

const ASKS = { scopes: ['operator.pairing'] };

/** What clients were told, by the event that must say the same. */
type Told = Map<'pairing.requested' | 'pairing.approved' | 'connection.accepted' | 'token.rotated', Set<string>>;

const nameOf = (event: Event): string | undefined => {
  switch (event.type) {
    case 'pairing.requested':
    case 'pairing.approved':
      return event.data.requestId;
    case 'connection.accepted':
      return event.data.connection;
    case 'token.rotated':
      return `${event.data.device} ${event.at}`;
    default:
      return undefined;
  }
};

class Load {
  readonly told: Told = new Map();
  readonly devices: Device[] = [];
  private readonly waiting: { key: Key; requestId: string }[] = [];
  /** The gateway is gone, and its port may be that of another by now. */
  private over = false;

  constructor(private readonly random: () => number) {}

  /** Works until the gateway is gone. */
  async run(port: number): Promise<void> {
    this.waiting.length = 0;
    this.over = false;
    const workers = Array.from({ length: WORKERS }, () => [
      this.asks(port),
      this.approves(port),
      this.rotates(port),
      this.returns(port),
    ]);
    await Promise.all(workers.flat().map((worker) => worker.catch(() => {})));
  }

  stop(): void {
    this.over = true;
  }

  /** One device, with what it was told last, comes again. */
  async visit(port: number, device: Device): Promise<boolean> {
    const { wire, answer } = await connect(port, device.key, { ...ASKS, auth: { deviceToken: device.token } }, REMOTE);
    if (answer.ok) this.note('connection.accepted', answer.payload.server.connId);
    wire.end();
    return answer.ok;
  }

  /** Any device whose token is known. */
  certain(): Device | undefined {
    const device = this.devices[Math.floor(this.random() * this.devices.length)];
    return device?.certain ? device : undefined;
  }

  private async asks(port: number): Promise<void> {
    while (!this.over) {
      if (this.waiting.length >= WAITING) await sleep(5);
      const key = newKey();
      const { wire, answer } = await connect(port, key, { ...ASKS, auth: { token: TOKEN } }, REMOTE);
      const { requestId } = answer.error.details;
      this.note('pairing.requested', requestId);
      this.waiting.push({ key, requestId });
      wire.end();
    }
  }

  private async approves(port: number): Promise<void> {
    const boss = await this.boss(port);
    while (!this.over) {
      const next = this.waiting.shift();
      if (next === undefined) {
        await boss.call('health');
        continue;
      }
      const { requestId, key } = next;
      const approval = await boss.call('device.pair.approve', { requestId });
      if (!approval.ok) throw new Error(approval.error.message);
      this.note('pairing.approved', requestId);
      const { wire, answer } = await connect(port, key, { ...ASKS, auth: { token: TOKEN } }, REMOTE);
      this.note('connection.accepted', answer.payload.server.connId);
      this.devices.push({ key, token: answer.payload.auth.deviceToken, certain: true });
      wire.end();
    }
  }

  /** A device gets a new token for itself, and is shown out to come back with it. */
  private async rotates(port: number): Promise<void> {
    while (!this.over) {
      const device = this.certain();
      if (device === undefined) {
        await sleep(5);
        continue;
      }
      device.certain = false;
      const { wire, answer } = await connect(
        port,
        device.key,
        { ...ASKS, auth: { deviceToken: device.token } },
        REMOTE,
      );
      this.note('connection.accepted', answer.payload.server.connId);
      const { payload } = await wire.call('device.token.rotate', { deviceId: device.key.id, role: 'operator' });
      this.note('token.rotated', `${device.key.id} ${payload.rotatedAtMs}`);
      device.token = payload.token;
      device.certain = true;
      wire.end();
    }
  }

  private async returns(port: number): Promise<void> {
    while (!this.over) {
      const device = this.certain();
      if (device === undefined) await sleep(5);
      else await this.visit(port, device);
    }
  }

  private async boss(port: number): Promise<Wire> {
    const { wire, answer } = await connect(port, newKey(), { scopes: ['operator.admin'], auth: { token: TOKEN } });
    this.note('connection.accepted', answer.payload.server.connId);
    return wire;
  }

  private note(type: Parameters<Told['get']>[0], name: string): void {
    const names = this.told.get(type) ?? new Set();
    this.told.set(type, names.add(name));
  }
}

/** What is wrong with the log of a gateway that is gone, given what it told people. */
const faultsOf = (state: string, told: Told): readonly string[] => {
  const store = new Store({ path: join(state, 'ledger'), readOnly: true });
  const log = new Reader(() => store);
  const seen = new Set<string>();
  const faults: string[] = [];
  let expected = 1;
  for (const event of log.range()) {
    if (event.seq !== expected++) faults.push(`event ${event.seq} where ${expected - 1} should be`);
    const name = nameOf(event);
    if (name === undefined) continue;
    if (seen.has(`${event.type} ${name}`)) faults.push(`${event.type} ${name} twice`);
    seen.add(`${event.type} ${name}`);
  }
  for (const [type, names] of told)
    for (const name of names) if (!seen.has(`${type} ${name}`)) faults.push(`${type} ${name} was told and is missing`);
  for (const { view, key, is } of check(store, log).differences) faults.push(`view ${view} ${key}: ${is}`);
  void store.close();
  return faults;
};

/** What a verifier finds, who knows the high-water mark. */
const damageOf = async (state: string, mark: string): Promise<readonly object[]> => {
  const older = existsSync(mark) ? [{ name: 'mark', note: readFileSync(mark, 'utf8') }] : [];
  const source = ledgerSource(join(state, 'ledger'));
  const { damage } = await verify(source, { older });
  await source.close();
  /* The first kills may come before the first checkpoint was kept. */
  return damage.filter((one) => one.class !== 'checkpoint-missing');
};

t.setTimeout(12_000 * ROUNDS);

t.test(`${ROUNDS} kills`, { timeout: 12_000 * ROUNDS }, async (t) => {
  t.comment(`CRASH_SEED=${SEED}`);
  const random = seeded(SEED);
  const state = stateFolder(t);
  const mark = join(stateFolder(t), 'mark');
  writeFileSync(join(state, 'openclaw.json'), JSON.stringify({ gateway: { audit: { highWaterMark: mark } } }));
  const load = new Load(random);
  for (let round = 1; round <= ROUNDS; round++) {
    const gateway = await gatewayProcess(t, state, [], { OPENCLAW_GATEWAY_TOKEN: TOKEN });
    const known = load.certain();
    if (known !== undefined) t.ok(await load.visit(gateway.port, known), 'who was let in gets in again');
    const working = load.run(gateway.port);
    await sleep(50 + random() * 350);
    await gateway.end('SIGKILL');
    load.stop();
    await working;
    t.same(faultsOf(state, load.told), [], `round ${round}`);
    t.same(await damageOf(state, mark), [], 'and it is the log that was signed for last');
  }
  for (const [type, names] of load.told) t.ok(names.size > ROUNDS, `${names.size} of ${type} were told`);
});
