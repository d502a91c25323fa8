import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import t from 'tap';
import { decode, rulesOf } from '../../src/codec.js';
import { limits } from '../../src/limits.js';
import type { Frame, Key } from '../support/device.js';
import { checked } from '../support/frames.js';
import { running, TOKEN } from '../support/gateway.js';
import { type Deviation, type Entry, Names, readTranscript, replay } from './replay.js';
import { V3Frame } from './v3-frames.js';

const FOLDER = join(import.meta.dirname, '../../../test/conformance/transcripts');
const FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort();

const recordings = new Map(FILES.map((file) => [file.slice(0, 2), readTranscript(join(FOLDER, file))]));

t.test('every frame of the recordings fits our codec of protocol 3', (t) => {
  let frames = 0;
  for (const [file, entries] of recordings) {
    for (const { dir, frame } of entries) {
      if (dir !== 'out' || frame === undefined) continue;
      frames++;
      const shape = decode(V3Frame, frame);
      if (E.isLeft(shape)) t.fail(`${file}: ${rulesOf(shape.left)} in ${JSON.stringify(frame).slice(0, 300)}`);
    }
  }
  t.ok(frames > 300, `${frames} frames`);
  t.end();
});

const answerTo =
  (...ids: readonly string[]) =>
  ({ dir, frame }: Entry): boolean =>
    dir === 'out' && frame?.type === 'res' && ids.includes(frame.id);
const refusalOf =
  (conn: string) =>
  (entry: Entry): boolean =>
    entry.conn === conn && entry.dir === 'out' && entry.frame?.type === 'res';
const closeOf =
  (conn: string) =>
  (entry: Entry): boolean =>
    entry.conn === conn && entry.dir === 'out' && entry.close !== undefined;
const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what);
};
/** The same keys, whatever the values: contents are those of the recorded machine. */
const sameKeys =
  (...keys: readonly string[]) =>
  (actual: Frame): void =>
    must(
      keys.every((key) => key in actual.payload),
      `keys ${Object.keys(actual.payload).join(', ')} instead of ${keys.join(', ')}`,
    );

/** The device of the second connect in 11, which the recorded gateway refused. */
const NEWER_CLIENT = '0644958bb6bee4466c389583afe6abadf05ffac0d2dbacd04e5e1504f9b99d18';
/** The token that the recorded gateway told whoever rotated it. */
const ROTATED = 'UTSAnHHsmSb7K49p29AIVvBv4_gokmpC1ke2KU4FLJs';
const OF_ROTATING_DEVICE = 'Hiz-r3hpwkr861DEBO5Zp27zks2mkZbzLIm6N0f6xeA';

/** Its right to be here was taken back, and so its session ends. */
const revoked = (conn: string): Entry => ({ dir: 'out', conn, close: { code: 4001, reason: 'device removed' } });
const leaving =
  (conn: string) =>
  (entry: Entry): boolean =>
    entry.conn === conn && entry.dir === 'in' && entry.close !== undefined;

/* Where we differ from the recording on purpose, each with its reason. What may vary in every file is in `comparable` below. */
const DEVIATIONS: readonly Deviation[] = [
  {
    file: '12',
    why: 'nobody is woken by a voice here',
    at: ({ frame }) => frame?.event === 'voicewake.changed',
    skip: true,
  },
  {
    file: '12',
    why: 'own capability, same shape',
    at: answerTo('r19'),
    look: sameKeys('canvasCapability', 'canvasCapabilityExpiresAtMs', 'canvasHostUrl'),
  },
  {
    file: '12',
    why: 'protocol.md §8.7: as in 4, a paired node is renamed; so the recorded name would not be there afterwards',
    at: ({ frame }) => frame?.id === 'r24',
    skip: true,
  },
  {
    file: '23',
    why: 'a second list of nodes is served by a later version; here their connects and pairings',
    at: ({ frame, close, open }: Entry) => open === undefined && close === undefined && !isOfPairing(frame),
    skip: true,
  },
  {
    file: '24',
    why: 'own contents, same shape',
    at: answerTo('r93'),
    look: sameKeys('path', 'exists', 'hash', 'file'),
  },
  {
    file: '11',
    why: 'protocol.md §2: a server of 3 and 4 says what it speaks in the details of 4',
    at: refusalOf('A'),
    look: ({ error }) => {
      must(error.message === 'protocol mismatch' && error.code === 'INVALID_REQUEST', 'the refusal');
      must(
        error.details.code === 'PROTOCOL_MISMATCH' &&
          error.details.expectedProtocol === 4 &&
          error.details.clientMaxProtocol === 2,
        'its details',
      );
    },
  },
  {
    file: '11',
    why: 'protocol.md §2: 4 is spoken here',
    at: refusalOf('B'),
    look: ({ ok, payload }) =>
      must(ok && payload.type === 'hello-ok' && payload.protocol === 4, 'is let in with protocol 4'),
  },
  { file: '11', why: 'see above', at: closeOf('B'), skip: true },
  {
    file: '13',
    why: 'design §6.2: a paired device that asks for more is connected with what it has of it',
    at: refusalOf('R1'),
    look: ({ ok, payload }) =>
      must(
        ok && payload.auth.scopes.join() === 'operator.approvals,operator.read',
        'is let in, and told the scopes of its token',
      ),
  },
  { file: '13', why: 'see above', at: closeOf('R1'), skip: true },
  {
    file: '13',
    why: 'design §6.2: when the rest is approved it is closed, to come back with more',
    at: answerTo('r27'),
    plus: { dir: 'out', conn: 'R1', close: { code: 1012, reason: 'approved: connect again' } },
  },
  {
    file: '14',
    why: 'design §6.6: the new token is told to nobody but its device; protocol.md §6.6: its sessions are closed',
    at: answerTo('r28'),
    look: ({ ok, payload }) =>
      must(
        ok &&
          payload.token === undefined &&
          payload.rotatedAtMs > 0 &&
          payload.scopes.join() === 'operator.read,operator.write',
        'rotated, and no token',
      ),
    plus: revoked('D1'),
  },
  {
    file: '14',
    why: 'design §6.6: the old token works in its grace, and the device is told the new one',
    at: refusalOf('D2'),
    look: ({ ok, payload }, names) => {
      must(ok && payload.auth.deviceToken !== names.ours(OF_ROTATING_DEVICE), 'is let in and told another token');
      names.learn(ROTATED, payload.auth.deviceToken);
    },
  },
  { file: '14', why: 'see above', at: closeOf('D2'), skip: true },
  { file: '14', why: 'see above', at: leaving('D1'), skip: true },
  {
    file: '15',
    why: 'protocol.md §6.6: sessions are closed when a token is revoked',
    at: answerTo('r31'),
    plus: revoked('E1'),
  },
  {
    file: '15',
    why: 'see above',
    at: (entry) => entry.conn === 'E1' && (leaving('E1')(entry) || entry.frame?.id === 'r33'),
    skip: true,
  },
  {
    file: '17',
    why: 'protocol.md §6.5: sessions are closed when a device is removed',
    at: answerTo('r46'),
    plus: revoked('F1'),
  },
  {
    file: '17',
    why: 'see above',
    at: (entry) => entry.conn === 'F1' && (leaving('F1')(entry) || entry.frame?.id === 'r48'),
    skip: true,
  },
  {
    file: '20',
    why: 'own contents, same shape: there are no agents here',
    at: answerTo('r60', 'r69'),
    look: sameKeys('heartbeat', 'channelSummary', 'queuedSystemEvents', 'sessions'),
  },
  {
    file: '20',
    why: 'our own log',
    at: answerTo('r61'),
    look: sameKeys('file', 'cursor', 'size', 'lines', 'truncated', 'reset'),
  },
  {
    file: '20',
    why: 'there are no models here',
    at: answerTo('r64'),
    look: ({ payload }) => must(Array.isArray(payload.models), 'models'),
  },
  {
    file: '20',
    why: 'there are no sessions here',
    at: answerTo('r66'),
    look: sameKeys('ts', 'path', 'count', 'defaults', 'sessions'),
  },
];

const isOfPairing = (frame: Frame): boolean =>
  frame?.method === 'connect' ||
  frame?.event === 'connect.challenge' ||
  frame?.payload?.type === 'hello-ok' ||
  String(frame?.event).startsWith('device.pair.');

/** What may vary everywhere (README of the recordings), and what is not served yet. */
const comparable =
  (names: Names) =>
  (frame: Frame): Frame => {
    const { payload } = frame;
    if (payload === undefined || payload === null || typeof payload !== 'object') return frame;
    if (payload.type === 'hello-ok') return { ...frame, payload: comparableHello(payload) };
    if (payload.heartbeatSeconds !== undefined)
      return {
        ...frame,
        payload: Object.keys(payload)
          .filter((key) => key !== 'log')
          .sort(),
      };
    if (Array.isArray(payload.presence)) return { ...frame, payload: { presence: others(payload.presence) } };
    if (Array.isArray(payload)) return { ...frame, payload: others(payload) };
    if (Array.isArray(payload.paired) && payload.paired.some((row: Frame) => row.deviceId)) {
      const paired = payload.paired
        .filter((row: Frame) => row.deviceId !== names.ours(NEWER_CLIENT))
        .map(withoutImplied);
      return { ...frame, payload: { ...payload, paired } };
    }
    return frame;
  };

/** Announced smaller: the payload limit (design §10). Only told to admins: where files are (protocol.md §7, v4's rule). */
const comparableHello = ({ server, snapshot, policy, auth, type, protocol, canvasHostUrl }: Frame): Frame => {
  const { presence, health: _, configPath: __, stateDir: ___, ...rest } = snapshot;
  const { maxPayload: ____, ...limits } = policy;
  return {
    type,
    protocol,
    server: { connId: server.connId },
    snapshot: { ...rest, presence: others(presence) },
    policy: limits,
    canvasHostUrl: canvasHostUrl?.replace(/:\d+(?=\/|$)/, ':PORT').replace(/cap\/[\w-]{24}$/, 'cap/CAPABILITY'),
    ...(auth === undefined ? {} : { auth }),
  };
};

/** The recorded gateway adds what a device asks for to its record where admin implies it. Nobody approved that, so ours does not. */
const withoutImplied = (row: Frame): Frame =>
  row.scopes?.includes('operator.admin')
    ? {
        ...row,
        scopes: row.scopes.filter((scope: string) => scope === 'operator.admin' || !scope.startsWith('operator.')),
      }
    : row;

const others = (entries: readonly Frame[]): readonly Frame[] => entries.filter(({ mode }) => mode !== 'gateway');

t.test('the recordings, replayed', async (t) => {
  const run = await running(t);
  t.equal(TOKEN, 'demo-gateway-token-7c1e');
  const names = new Names();
  const keys = new Map<string, Key>();
  const stage = {
    port: run.port,
    names,
    keys,
    deviations: DEVIATIONS,
    comparable: (_: string, frame: Frame) => comparable(names)(frame),
    wait: async ({ frame, close, conn }: Entry) => {
      if (frame?.id === 'connect-1') run.clock.skip(limits.limiter.loopbackDelayCeilingMs);
      if (frame?.event === 'tick') run.clock.skip(30_000);
      if (frame?.event === 'shutdown') void run.stop();
      if (close?.code === 1000 && conn === 'A' && close.reason === '') run.clock.skip(15_000);
    },
  };
  for (const [file, entries] of recordings) {
    const faults = await replay(file, entries, stage);
    t.same(faults, [], `${FILES.find((name) => name.startsWith(file))}`);
  }
  t.ok(checked.v3 > 100, `${checked.v3} frames of protocol 3 checked`);
});
