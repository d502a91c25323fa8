import { hash, randomBytes, randomUUID } from 'node:crypto';
import { type Database, type Key, open } from 'lmdb';
import { connectionId } from '../../src/gateway/connection-id.js';
import { Tree } from '../../src/ledger/tree.js';

/*
 * The log of the limit. It writes what a gateway writes of a connection that comes and goes, as large and as often: both events, the
 * personal data beside the first, the row of who is here, the entries of the index in batches, the tiles of the tree. It decides nothing,
 * folds nothing and could not be read back.
 */

export interface Guest {
  readonly connection: string;
  readonly device: string;
  readonly at: number;
  readonly seq: number;
}

const EVENT_BYTES = 300;
const INDEX_BATCH = 10_000;
const LINGER_MS = 20;
const KEY_BYTES = 23;
const CREDENTIAL = 'a0d1254f3db4f873';
const NONE = Buffer.alloc(0);

export class LimitLog {
  private readonly boot = randomUUID();
  private readonly events: Database<Buffer, number>;
  private readonly origins: Database<Buffer, number>;
  private readonly rows: Database<string, string>;
  private readonly index: Database<Buffer, Buffer>;
  private readonly tiles: Database<Buffer, [number, number]>;
  private readonly tree = Tree.empty;
  private readonly entropy = { uuid: randomUUID, bytes: randomBytes };
  private seq = 0;
  private leaves: Buffer[] = [];
  private readonly lists = new Map<string, number[]>();
  private indexed = 0;
  private readonly lingering: (() => void)[] = [];

  constructor(path: string) {
    const env = open<Buffer, number>({ path, maxDbs: 8, noSubdir: false, overlappingSync: false, encoding: 'binary' });
    const database = <V, K extends Key>(name: string, options: object): Database<V, K> =>
      env.openDB<V, K>(name, options);
    this.events = database('events', { encoding: 'binary' });
    this.origins = database('origins', { encoding: 'binary' });
    this.rows = database('rows', { encoding: 'string' });
    this.index = database('index', { encoding: 'binary', keyEncoding: 'binary' });
    this.tiles = database('tiles', { encoding: 'binary' });
  }

  /** 300 bytes, on the disk when it settles. */
  append(text: string): Promise<boolean> {
    return this.events.put(++this.seq, Buffer.from(text.padEnd(EVENT_BYTES).slice(0, EVENT_BYTES)));
  }

  /** Somebody is in: on the disk when it settles. What it is of others that linger goes along. */
  // biome-ignore lint/suspicious/noExplicitAny: this server believes its clients.
  async accepted({ client, device, role, scopes, maxProtocol: protocol }: any, peer: object): Promise<Guest> {
    const at = Date.now();
    const connection = connectionId(at, this.entropy);
    const origin = Buffer.concat([randomBytes(16), Buffer.from(JSON.stringify(peer))]);
    const { boot } = this;
    const seq = this.write('connection.accepted', connection, at, {
      actor: {
        kind: 'connection',
        connection,
        method: 'token',
        role,
        device: device.id,
        credential: CREDENTIAL,
        scopes,
      },
      cause: 2,
      data: {
        connection,
        boot,
        worker: 0,
        role,
        asked: scopes,
        scopes,
        method: 'token',
        protocol,
        client,
        local: true,
        device: device.id,
        credential: CREDENTIAL,
        token: boot.replaceAll('-', ''),
      },
      origin: hash('sha256', origin),
    });
    this.origins.put(seq, origin);
    this.list('connection', connection, seq);
    this.list('device', device.id, seq);
    for (const common of ['type accepted', 'credential', 'cause', 'address']) this.list(common, CREDENTIAL, seq);
    const row = { seq, at, device: device.id, role, method: 'token', credential: CREDENTIAL };
    for (const close of this.lingering.splice(0)) close();
    await this.rows.put(`${boot}/0/${connection}`, JSON.stringify(row));
    return { connection, device: device.id, at, seq };
  }

  /** It is gone, and nobody waits for that to be written. */
  closed(guest: Guest): void {
    if (this.lingering.push(() => this.leave(guest)) > 1) return;
    setTimeout(() => {
      for (const close of this.lingering.splice(0)) close();
    }, LINGER_MS);
  }

  private leave({ connection, device, at, seq: cause }: Guest): void {
    const { boot } = this;
    const durationMs = Date.now() - at;
    const seq = this.write('connection.closed', connection, Date.now(), {
      actor: { kind: 'connection', connection, device, credential: CREDENTIAL },
      cause,
      data: { connection, boot, worker: 0, device, code: 1000, reason: '', durationMs },
    });
    this.list('connection', connection, seq);
    this.list('device', device, seq);
    this.list('type closed', CREDENTIAL, seq);
    this.rows.remove(`${boot}/0/${connection}`);
  }

  private write(type: string, connection: string, at: number, rest: object): number {
    const seq = ++this.seq;
    const bytes = Buffer.from(JSON.stringify({ seq, at, type, v: 1, subject: `connection:${connection}`, ...rest }));
    this.events.put(seq, bytes);
    if (this.leaves.push(bytes) === 1) queueMicrotask(() => setImmediate(() => this.grow()));
    return seq;
  }

  /** The tiles of a turn, which are written with what comes in the next one. */
  private grow(): void {
    const growth = this.tree.grown(this.leaves);
    this.leaves = [];
    for (const { level, index, hashes } of growth.tiles) this.tiles.put([level, index], Buffer.from(hashes));
    this.tree.written(growth);
    if (this.seq - this.indexed >= INDEX_BATCH) this.writeIndex();
  }

  private list(kind: string, id: string, seq: number): void {
    const key = `${kind} ${id}`;
    const list = this.lists.get(key);
    if (list === undefined) this.lists.set(key, [seq]);
    else list.push(seq);
  }

  private writeIndex(): void {
    this.indexed = this.seq;
    for (const [term, seqs] of this.lists) {
      const [kind = '', id = ''] = term.split(' ').slice(-2);
      const key = Buffer.alloc(KEY_BYTES);
      key[0] = kind.length;
      key.write(id.replaceAll('-', '').slice(0, 32), 1, 'hex');
      key.writeUIntBE(seqs[0] ?? 0, 17, 6);
      this.index.put(key, seqs.length === 1 ? NONE : Buffer.alloc(seqs.length - 1, 1));
    }
    this.lists.clear();
  }
}
