import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Frame, type Key, newKey, Wire } from '../support/device.js';

/*
 * Plays a recording of the real gateway against ours: the same connections with the same headers say the same things, signed with
 * keys of their own, and what comes back is compared with what was recorded.
 */

export interface Entry {
  readonly dir: 'in' | 'out' | 'note';
  readonly conn: string;
  readonly open?: { readonly path: string; readonly headers: Readonly<Record<string, string>> };
  readonly frame?: Frame;
  readonly raw?: string;
  readonly close?: { readonly code: number; readonly reason: string };
}

export const readTranscript = (file: string): readonly Entry[] =>
  JSON.parse(readFileSync(file, 'utf8')) as readonly Entry[];

/** Where ours is meant to differ from the recording. */
export interface Deviation {
  readonly file: string;
  readonly why: string;
  /** The recorded entries it is about. */
  readonly at: (entry: Entry) => boolean;
  /** They do not happen. */
  readonly skip?: true;
  /** What came instead is right if this does not throw. */
  readonly look?: (actual: Frame, names: Names) => void;
  /** This happens besides, right after. */
  readonly plus?: Entry;
}

/** Recorded ids and tokens, and ours that stand for them. */
export class Names {
  private readonly byRecorded = new Map<string, string>();

  learn(recorded: string, actual: string): void {
    this.byRecorded.set(recorded, actual);
  }

  ours(recorded: string): string {
    return this.byRecorded.get(recorded) ?? recorded;
  }
}

/** Fields whose values are names: the same recorded value stands for the same value of ours, always. */
const NAMES = new Set([
  'id',
  'requestId',
  'deviceId',
  'nodeId',
  'publicKey',
  'connId',
  'nonce',
  'deviceToken',
  'token',
  'instanceId',
]);
/** Fields that say when, or how far a counter is. */
const VARIES = new Set([
  'ts',
  'seq',
  'stateVersion',
  'uptimeMs',
  'durationMs',
  'createdAtMs',
  'approvedAtMs',
  'rotatedAtMs',
  'revokedAtMs',
  'lastUsedAtMs',
  'issuedAtMs',
  'connectedAtMs',
  'expiresAtMs',
]);

/** What differs between an expected and an actual value; empty if nothing that matters does. Learns the names on the way. */
export const differences = (expected: unknown, actual: unknown, names: Names, path = ''): readonly string[] => {
  const key = path.split('.').at(-1) ?? '';
  if (VARIES.has(key)) return typeof actual === typeof expected ? [] : [`${path}: ${JSON.stringify(actual)}`];
  if (NAMES.has(key) && typeof expected === 'string' && typeof actual === 'string') {
    const known = names.ours(expected);
    if (known === expected) names.learn(expected, actual);
    return known === expected || known === actual ? [] : [`${path}: ${actual} instead of ${known}`];
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    if (expected.length !== actual.length)
      return [`${path}: ${actual.length} items instead of ${expected.length}: ${JSON.stringify(actual)}`];
    return expected.flatMap((item, i) => differences(item, actual[i], names, `${path}.${i}`));
  }
  if (typeof expected === 'object' && expected !== null && typeof actual === 'object' && actual !== null) {
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)]);
    return [...keys].flatMap((k) => {
      const [e, a] = [(expected as Frame)[k], (actual as Frame)[k]];
      if (a === undefined) return [`${path}.${k}: missing`];
      if (e === undefined) return [`${path}.${k}: unexpected ${JSON.stringify(a)}`];
      return differences(e, a, names, `${path}.${k}`);
    });
  }
  return expected === actual ? [] : [`${path}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`];
};

const isHealth = (frame: Frame): boolean => frame.event === 'health';

export interface Stage {
  readonly port: number;
  readonly names: Names;
  /** Keys by recorded device id: a device is the same in every file. */
  readonly keys: Map<string, Key>;
  /** What a frame must be reduced to before it is compared. */
  readonly comparable: (file: string, frame: Frame) => Frame;
  readonly deviations: readonly Deviation[];
  /** Nothing is recorded for a while: time passes. */
  readonly wait: (entry: Entry) => Promise<void>;
}

export const replay = async (file: string, entries: readonly Entry[], stage: Stage): Promise<readonly string[]> => {
  const wires = new Map<string, Wire>();
  const challenges = new Map<string, { recorded: Frame; ours: { nonce: string; ts: number } }>();
  const faults: string[] = [];
  const wireOf = ({ conn }: Entry): Wire => {
    const wire = wires.get(conn);
    if (wire === undefined) throw new Error(`${file}: ${conn} was never opened`);
    return wire;
  };
  const deviationAt = (entry: Entry): Deviation | undefined =>
    stage.deviations.find((deviation) => deviation.file === file && deviation.at(entry));
  const script = entries.flatMap((entry, line) => {
    const deviation = deviationAt(entry);
    const played = deviation?.skip || entry.dir === 'note' ? [] : [{ entry, line, look: deviation?.look }];
    return deviation?.plus === undefined ? played : [...played, { entry: deviation.plus, line, look: undefined }];
  });
  for (const { entry, line, look } of script) {
    const fault = (what: string): void => void faults.push(`${file}:${line} ${entry.conn}: ${what}`);
    try {
      if (entry.open !== undefined) {
        const headers = {
          ...entry.open.headers,
          Host: (entry.open.headers['Host'] ?? '').replace(/:\d+$/, `:${stage.port}`),
        };
        wires.set(entry.conn, Wire.open(stage.port, headers, entry.open.path));
      } else if (entry.dir === 'in' && entry.close !== undefined) {
        wireOf(entry).end(entry.close.code);
      } else if (entry.dir === 'in') {
        wireOf(entry).send(entry.raw ?? spoken(entry.frame, challenges.get(entry.conn), stage));
      } else if (entry.close !== undefined) {
        await stage.wait(entry);
        const { code, reason } = await wireOf(entry).close();
        if (code !== entry.close.code || reason !== entry.close.reason)
          fault(`closed ${code} "${reason}" instead of ${entry.close.code} "${entry.close.reason}"`);
      } else if (!isHealth(entry.frame)) {
        await stage.wait(entry);
        const isTick = entry.frame.event === 'tick';
        const actual = await wireOf(entry).next((frame) => !isHealth(frame) && (isTick || frame.event !== 'tick'));
        if (entry.frame.event === 'connect.challenge')
          challenges.set(entry.conn, { recorded: entry.frame.payload, ours: actual.payload });
        if (look !== undefined) look(actual, stage.names);
        else
          for (const difference of differences(
            stage.comparable(file, entry.frame),
            stage.comparable(file, actual),
            stage.names,
          ))
            fault(difference);
      }
    } catch (error) {
      fault(`${(error as Error).message}, expected ${JSON.stringify(entry.frame ?? entry.close).slice(0, 300)}`);
      break;
    }
  }
  for (const wire of wires.values()) wire.end();
  await Promise.all([...wires.values()].map((wire) => wire.close()));
  for (const [conn, wire] of wires) faults.push(...gaps(file, conn, wire));
  return faults;
};

/** Numbers that a client sees have no gaps, whatever others were sent. */
const gaps = (file: string, conn: string, wire: Wire): readonly string[] => {
  const seqs = wire.frames.flatMap((frame) => (frame.seq === undefined ? [] : [frame.seq as number]));
  return seqs.flatMap((seq, i) =>
    i > 0 && seq !== (seqs[i - 1] ?? 0) + 1 ? [`${file} ${conn}: seq ${seq} after ${seqs[i - 1]}`] : [],
  );
};

/** What a client said, with our names for what it names and a device block of its own. */
const spoken = (
  frame: Frame,
  challenge: { recorded: Frame; ours: { nonce: string; ts: number } } | undefined,
  stage: Stage,
): Frame => {
  const said = renamed(frame, stage.names);
  const device = frame.method === 'connect' ? frame.params?.device : undefined;
  if (device === undefined || challenge === undefined) return said;
  return { ...said, params: { ...said.params, device: deviceBlock(frame.params, said.params, challenge, stage) } };
};

const renamed = (value: unknown, names: Names): Frame => {
  if (typeof value === 'string') return names.ours(value);
  if (Array.isArray(value)) return value.map((item) => renamed(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renamed(item, names)]));
};

const signedText = ({ client, role = 'operator', scopes = [], auth = {}, device }: Frame, id: string): string =>
  [
    'v3',
    id,
    client.id,
    client.mode,
    role,
    scopes.join(','),
    device.signedAt,
    auth.token ?? auth.deviceToken ?? '',
    device.nonce,
    client.platform.toLowerCase(),
    (client.deviceFamily ?? '').toLowerCase(),
  ].join('|');

/** The recorded block with a key of ours, wrong in the same way if it was wrong. */
const deviceBlock = (
  recorded: Frame,
  said: Frame,
  challenge: { recorded: Frame; ours: { nonce: string; ts: number } },
  stage: Stage,
): Frame => {
  const { device } = recorded;
  const key = stage.keys.get(device.publicKey) ?? newKey();
  stage.keys.set(device.publicKey, key);
  const rightId = idOf(device.publicKey) === device.id;
  if (rightId) stage.names.learn(device.id, key.id);
  stage.names.learn(device.publicKey, key.publicKey);
  const block = {
    id: rightId ? key.id : device.id,
    publicKey: key.publicKey,
    signedAt: challenge.ours.ts + (device.signedAt - challenge.recorded.ts),
    nonce: device.nonce === challenge.recorded.nonce ? challenge.ours.nonce : device.nonce,
    signature: '',
  };
  const rightSignature = verify(
    null,
    Buffer.from(signedText(recorded, device.id)),
    publicKeyOf(device.publicKey),
    Buffer.from(device.signature, 'base64url'),
  );
  const text = signedText({ ...said, device: block }, block.id);
  return { ...block, signature: key.sign(rightSignature ? text : `${text} and more`) };
};

const publicKeyOf = (x: string) => createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });

const idOf = (publicKey: string): string =>
  createHash('sha256').update(Buffer.from(publicKey, 'base64url')).digest('hex');
