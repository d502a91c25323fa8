import { type Fact, subjectOf } from '../../events/index.js';
import { seeded } from './world.js';

/* What happens in the life of a gateway, made up: devices ask, are approved, come, go and are removed. The same for the same seed. */

const CLIENT = { id: 'cli', mode: 'cli', platform: 'linux', version: '1' };
const DEVICES = 40;

export const life = (seed: number): (() => readonly Fact[]) => {
  const random = seeded(seed);
  const open: { connection: string; device: string }[] = [];
  let n = 0;
  const device = (): string =>
    Math.floor(random() * DEVICES)
      .toString(16)
      .padStart(64, 'd');
  return () => {
    const chance = random();
    const id = device();
    const connection = `${seed}-${++n}`;
    const actor = { kind: 'connection', connection, device: id } as const;
    const subject = subjectOf.device(id);
    const requestId = `r-${seed}-${n}`;
    if (chance < 0.01) {
      open.length = 0;
      const data = {
        boot: 'b',
        pid: 1,
        version: '1',
        runtime: 'node',
        authMode: 'token',
        listening: [],
        tokenKey: 'k',
      };
      return [{ type: 'gateway.started', subject: 'gateway', actor: { kind: 'gateway', rule: 'start' }, data }];
    }
    if (chance < 0.1) {
      const ask = {
        requestId,
        device: id,
        publicKey: 'k',
        role: 'operator' as const,
        scopes: ['operator.read'],
        client: CLIENT,
      };
      const requested: Fact = {
        type: 'pairing.requested',
        subject,
        actor,
        data: { ...ask, roles: ['operator'], need: 'not-paired', silent: false, repair: false },
        origin: { address: '203.0.113.9' },
      };
      const approved: Fact = {
        type: 'pairing.approved',
        subject,
        actor: { kind: 'gateway', rule: 'test' },
        cause: 'previous',
        data: { ...ask, roles: ['operator'], rule: 'test' },
      };
      return random() < 0.5 ? [requested] : [requested, approved];
    }
    if (chance < 0.13) return [{ type: 'device.removed', subject, actor, data: { device: id, credentials: [] } }];
    if (chance < 0.45 && open.length > 0) {
      const [gone] = open.splice(Math.floor(random() * open.length), 1);
      const { connection: left, device: whose } = gone ?? { connection: '', device: '' };
      const data = { connection: left, boot: 'b', worker: 0, code: 1000, reason: '', durationMs: 1, device: whose };
      return [{ type: 'connection.closed', subject: subjectOf.connection(left), actor, data }];
    }
    open.push({ connection, device: id });
    return [
      {
        type: 'connection.accepted',
        subject: subjectOf.connection(connection),
        actor,
        data: {
          connection,
          boot: 'b',
          worker: 0,
          role: 'operator',
          asked: [],
          scopes: [],
          method: 'token',
          protocol: 4,
          client: CLIENT,
          local: false,
          device: id,
          credential: `fp${id.slice(-2)}`,
        },
        origin: { address: `203.0.113.${Math.floor(random() * 200)}` },
      },
    ];
  };
};
