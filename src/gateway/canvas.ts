import type { Views } from '../../projections/index.js';
import type { Settings } from '../config/settings.js';
import type { Keys } from '../credentials/keys.js';
import { capabilityNow, isWorthRecording } from '../decisions/canvas.js';
import { limits } from '../limits.js';
import type { Clock } from '../ports.js';
import { closeCode } from '../protocol/close-codes.js';
import { type CanvasFile, CanvasFolder } from '../services/canvas/folder.js';
import { reloading, startPage } from '../services/canvas/pages.js';
import { rangeOf } from '../services/canvas/range.js';
import type { HttpAnswer, HttpAsked, Peer, Receiver, Socket, Source, Upgrade } from '../transport/transport.js';
import { version } from '../version.js';
import { capabilityDigest } from './canvas-capability.js';
import { NOT_ALLOWED, NOT_FOUND, refused } from './json-answer.js';
import type { Place } from './place.js';

/*
 * The canvas: files of a folder for whoever knows a capability, and a socket that says when they have changed (protocol.md §10). Where somebody
 * comes from opens nothing (CVE-2026-3690). The first use of a capability is in the log before it is answered.
 */

const HOME = '/__openclaw__/canvas';
const RELOAD = '/__openclaw__/ws';
const CAPABILITY = /^\/__openclaw__\/cap\/([^/]*)(\/.*)$/;
/** Pages that wait for changes have joined this. */
export const RELOAD_TOPIC = 'canvas reload';

/** Its page, below where the gateway is reached. */
export const CANVAS_HOME = `${HOME}/`;

/** What a client is told: where it reaches the canvas, a node with its capability. */
export const canvasUrl = (settings: Settings['canvas'], host: string, capability?: string): string | undefined =>
  settings &&
  `${settings.publicUrl ?? `http://${host}`}${capability === undefined ? '' : `/__openclaw__/cap/${capability}`}`;

export interface CanvasOptions {
  readonly root: string;
  readonly clock: Clock;
  readonly keys: Pick<Keys, 'digest'>;
  readonly views: () => Pick<Views, 'capabilities' | 'credentials' | 'paired'>;
  /** Settles when the log has it that a capability is used; false where the log cannot have it. */
  readonly used: (capability: string) => Promise<boolean>;
  readonly failing: () => readonly string[];
  readonly uptime: () => number;
}

/** What is asked for, and by which capability. */
interface Wanted {
  readonly path: string;
  readonly capability: string | undefined;
}

const wantedIn = ({ path, query }: Pick<Peer, 'path' | 'query'>): Wanted => {
  const [, capability, rest] = CAPABILITY.exec(path) ?? [];
  return rest === undefined
    ? { path, capability: new URLSearchParams(query).get('oc_cap') ?? undefined }
    : { path: rest, capability };
};

const isOurs = ({ path }: Wanted): boolean => path === RELOAD || path === HOME || path.startsWith(`${HOME}/`);

const UNAUTHORIZED = refused('401 Unauthorized', 'unauthorized', 'Unauthorized');
const BUSY = refused('503 Service Unavailable', 'canvas_limit', 'too much is read at once; try again shortly', {
  'retry-after': '1',
});
const NOT_WRITABLE = refused('503 Service Unavailable', 'unavailable', 'the log cannot be written');
const NOT_UPGRADED = refused('426 Upgrade Required', 'upgrade_required', 'upgrade required', { upgrade: 'websocket' });

/** A capability in the address of a page goes nowhere else, and nobody keeps what it opened. */
const PRIVATE = { 'referrer-policy': 'no-referrer', 'cache-control': 'private, no-cache' };

export class Canvas {
  private readonly folder: CanvasFolder;
  private reading = 0;
  private readonly clock: Clock;
  private readonly pages = new Places(limits.canvas.pages, limits.canvas.pagesOfOne);
  private readonly files = new Places(limits.canvas.files, limits.canvas.filesOfOne);

  constructor(private readonly options: CanvasOptions) {
    this.clock = options.clock;
    this.folder = new CanvasFolder(options.root);
  }

  /** Undefined where the path is none of the canvas. */
  answer(asked: HttpAsked, place: Place): HttpAnswer | Promise<HttpAnswer> | undefined {
    const wanted = wantedIn(asked.peer);
    if (!isOurs(wanted)) return undefined;
    if (asked.method !== 'get' && asked.method !== 'head') return NOT_ALLOWED;
    if (wanted.path === RELOAD) return NOT_UPGRADED;
    if (wanted.path === HOME)
      return moved(`${asked.peer.path}/${asked.peer.query === '' ? '' : `?${asked.peer.query}`}`);
    if (!this.mayLook(wanted)) return this.turnedAway(wanted, place);
    if (this.reading >= limits.canvas.atOnce) return BUSY;
    return this.read(wanted, asked);
  }

  /** Is it a page that wants to hear of changes? */
  wants(peer: Peer): boolean {
    return peer.path.endsWith(RELOAD) && wantedIn(peer).path === RELOAD;
  }

  async admit(upgrade: Upgrade, isGone: () => boolean): Promise<void> {
    const wanted = wantedIn(upgrade.peer);
    if (!this.mayLook(wanted)) return upgrade.refuse(UNAUTHORIZED);
    const recorded = await this.recorded(wanted);
    if (isGone()) return;
    if (!recorded) upgrade.refuse(NOT_WRITABLE);
    else if (!this.mayLook(wanted)) upgrade.refuse(UNAUTHORIZED);
    else if (!this.pages.take(wanted.capability)) upgrade.refuse(BUSY);
    else upgrade.proceed();
  }

  opened(socket: Socket, peer: Peer): Receiver {
    const wanted = wantedIn(peer);
    socket.join(RELOAD_TOPIC);
    /* As long as it is open it looks. */
    const stop = this.options.clock.every(limits.canvas.capabilityMs / 4, () => {
      if (!this.mayLook(wanted)) socket.end(closeCode.policy, 'canvas capability expired');
      else void this.recorded(wanted);
    });
    return {
      message: () => {},
      dropped: () => {},
      closed: () => {
        stop();
        this.pages.give(wanted.capability);
      },
    };
  }

  private mayLook({ capability }: Wanted): boolean {
    const { views, clock } = this.options;
    return (
      capability !== undefined && capabilityNow(views(), this.digestOf(capability), { at: clock.now() }) !== undefined
    );
  }

  /** Programs of this host are told how to come in, and nothing that `/readyz` does not tell. */
  private turnedAway({ path }: Wanted, { local }: Place): HttpAnswer {
    return path === `${HOME}/` && local
      ? page('401 Unauthorized', startPage({ failing: this.options.failing() }))
      : UNAUTHORIZED;
  }

  private digestOf(capability: string): string {
    return capabilityDigest(this.options.keys, capability);
  }

  private async recorded({ capability }: Wanted): Promise<boolean> {
    if (capability === undefined) return true;
    const { views, clock, used } = this.options;
    const digest = this.digestOf(capability);
    const found = capabilityNow(views(), digest, { at: clock.now() });
    return found === undefined || !isWorthRecording(found, clock.now()) || (await used(digest));
  }

  private async read(wanted: Wanted, asked: HttpAsked): Promise<HttpAnswer> {
    this.reading++;
    try {
      if (!(await this.recorded(wanted))) return NOT_WRITABLE;
      /* It may have ended while the log wrote. */
      if (!this.mayLook(wanted)) return UNAUTHORIZED;
      const path = wanted.path.slice(HOME.length + 1);
      const found = await this.folder.find(path);
      if (found?.is === 'folder') return moved(`${asked.peer.path}/`);
      if (found !== undefined) return await answerOf(found, asked, (source) => this.counted(source, wanted));
      return path === '' ? page('200 OK', this.start()) : NOT_FOUND;
    } finally {
      this.reading--;
    }
  }

  private start(): string {
    const { root, failing, uptime } = this.options;
    return startPage({ failing: failing(), host: { root, version, uptimeMs: uptime() } });
  }

  /** It is one of so many on their way, has its time, and ends when its capability does. Undefined where there are too many. */
  private counted(source: Source, wanted: Wanted): Source | undefined {
    const { files, clock } = this;
    const { sendMs, sendBytesAMs } = limits.canvas;
    if (!files.take(wanted.capability)) return undefined;
    const until = clock.monotonic() + sendMs + source.bytes / sendBytesAMs;
    return {
      bytes: source.bytes,
      read: (at, bytes) =>
        this.mayLook(wanted) && clock.monotonic() < until ? source.read(at, bytes) : Promise.resolve(Buffer.alloc(0)),
      close: () => {
        files.give(wanted.capability);
        source.close();
      },
    };
  }
}

/** So many at once, and so many of one. */
class Places {
  private readonly taken = new Map<string, number>();
  private inAll = 0;

  constructor(
    private readonly most: number,
    private readonly mostOfOne: number,
  ) {}

  take(whose = ''): boolean {
    const taken = this.taken.get(whose) ?? 0;
    if (this.inAll >= this.most || taken >= this.mostOfOne) return false;
    this.taken.set(whose, taken + 1);
    this.inAll++;
    return true;
  }

  give(whose = ''): void {
    const left = (this.taken.get(whose) ?? 1) - 1;
    this.inAll--;
    if (left === 0) this.taken.delete(whose);
    else this.taken.set(whose, left);
  }
}

const moved = (location: string): HttpAnswer => ({
  status: '308 Permanent Redirect',
  type: 'text/plain; charset=utf-8',
  body: '',
  headers: { ...PRIVATE, location },
});

const page = (status: string, html: string): HttpAnswer => ({
  status,
  type: 'text/html; charset=utf-8',
  body: html,
  headers: { ...PRIVATE, 'cache-control': 'no-store' },
});

const answerOf = async (
  file: CanvasFile,
  { header }: HttpAsked,
  counted: (source: Source) => Source | undefined,
): Promise<HttpAnswer> => {
  const { handle, bytes, tag, type } = file;
  const close = (): void => void handle.close();
  const headers = { ...PRIVATE, etag: tag, 'accept-ranges': 'bytes' };
  if (isAmong(header('if-none-match'), tag)) {
    close();
    return { status: '304 Not Modified', type, body: '', headers };
  }
  if (type.startsWith('text/html') && bytes <= limits.canvas.pageBytes) {
    const html = await handle.readFile('utf8').finally(close);
    return { status: '200 OK', type, body: Buffer.from(reloading(html)), headers: { ...PRIVATE, etag: tag } };
  }
  const range = header('if-range') === '' || header('if-range') === tag ? rangeOf(header('range'), bytes) : undefined;
  if (range === 'unsatisfiable') {
    close();
    return { ...NOT_SATISFIABLE, headers: { ...headers, 'content-range': `bytes */${bytes}` } };
  }
  const { first, last } = range ?? { first: 0, last: bytes - 1 };
  const source: Source = {
    bytes: last - first + 1,
    read: async (at, length) => {
      const wanted = Math.min(length, last - first + 1 - at);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(wanted), 0, wanted, first + at);
      return buffer.subarray(0, bytesRead);
    },
    close,
  };
  if (source.bytes === 0) {
    close();
    return { status: '200 OK', type, body: '', headers };
  }
  const body = counted(source);
  if (body === undefined) {
    close();
    return BUSY;
  }
  return range === undefined
    ? { status: '200 OK', type, body, headers }
    : {
        status: '206 Partial Content',
        type,
        body,
        headers: { ...headers, 'content-range': `bytes ${first}-${last}/${bytes}` },
      };
};

const NOT_SATISFIABLE = { status: '416 Range Not Satisfiable', type: 'text/plain; charset=utf-8', body: '' };

/** RFC 9110 §13.1.2, by weak comparison. */
const isAmong = (tags: string, tag: string): boolean =>
  tags === '*' || tags.split(',').some((one) => one.trim().replace(/^W\//, '') === tag);
