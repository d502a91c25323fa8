import type {
  HttpRequest,
  HttpResponse,
  ListenOptions,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocketBehavior,
} from 'uWebSockets.js';
import { networkInterfaces } from 'node:os';
import { limits } from '../limits.js';
import { canonicalAddress } from './address.js';
import { answer, send, whenSaid } from './answers.js';
import { Outgoing } from './outgoing.js';
import { UwsSocket } from './socket.js';
import {
  type Handlers,
  type HttpAnswer,
  type Listening,
  type Peer,
  type PortSharing,
  PortTaken,
  type Receiver,
  type Transport,
  type Upgrade,
} from './transport.js';
import { Upgrading } from './upgrading.js';
import { loadUws, type Uws } from './uws.js';

/** What `sockaddr_un` holds on macOS, the least of the systems; a longer path crashes the library. */
const SOCKET_PATH_BYTES = 103;

/** The library does not name it: its port may be listened on by others of the same user. */
const SHARED: ListenOptions = 0;

interface UserData {
  /** Until it is open. */
  peer?: Peer;
  connection?: { readonly socket: UwsSocket<UserData>; readonly receiver: Receiver };
}

export interface ServerOptions {
  readonly maxPayloadBytes: number;
  readonly handlers: Handlers;
}

export const uwsTransport = async ({ maxPayloadBytes, handlers }: ServerOptions): Promise<Transport> => {
  const uws = await loadUws();
  return new UwsTransport(uws, maxPayloadBytes, handlers);
};

/**
 * One app for the network and one for the socket file: which of them took a connection decides whether it is believed to
 * be the owner of the host, and a socket that was just reset has no address to tell it by.
 */
class UwsTransport implements Transport {
  private readonly network: TemplatedApp;
  private readonly file: TemplatedApp;
  private readonly listening: us_listen_socket[] = [];

  constructor(
    private readonly uws: Uws,
    maxPayloadBytes: number,
    handlers: Handlers,
  ) {
    const outgoing = new Outgoing();
    this.network = app(uws, maxPayloadBytes, handlers, outgoing, false);
    this.file = app(uws, maxPayloadBytes, handlers, outgoing, true);
  }

  async listen(hosts: readonly string[], port: number, sharing: PortSharing = 'alone'): Promise<readonly Listening[]> {
    const found: Listening[] = [];
    for (const host of hosts) {
      if (!hasAddress(host)) continue;
      const wanted = found[0]?.port ?? port;
      const token = await this.tryListen(host, wanted, sharing);
      if (token === undefined) throw new PortTaken(host, wanted);
      found.push({ host, port: this.uws.us_socket_local_port(token as never) });
    }
    return found;
  }

  private tryListen(host: string, port: number, sharing: PortSharing): Promise<us_listen_socket | undefined> {
    /* Alone it has to be said: a second gateway would share the port and get every other connection. */
    const { LIBUS_LISTEN_EXCLUSIVE_PORT: alone } = this.uws as unknown as {
      LIBUS_LISTEN_EXCLUSIVE_PORT: ListenOptions;
    };
    return new Promise((resolve) => {
      this.network.listen(host, port, sharing === 'alone' ? alone : SHARED, (token) =>
        resolve(token ? this.keep(token) : undefined),
      );
    });
  }

  listenOnFile(path: string): Promise<boolean> {
    if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.file.listen_unix((token) => resolve(Boolean(token && this.keep(token))), path);
    });
  }

  private keep(token: us_listen_socket): us_listen_socket {
    this.listening.push(token);
    return token;
  }

  publish(topic: string, frame: string): void {
    this.network.publish(topic, frame);
    this.file.publish(topic, frame);
  }

  stop(): void {
    for (const token of this.listening.splice(0)) this.uws.us_listen_socket_close(token);
  }

  close(): void {
    this.network.close();
    this.file.close();
  }
}

const app = (
  uws: Uws,
  maxPayloadBytes: number,
  handlers: Handlers,
  outgoing: Outgoing,
  hostSocket: boolean,
): TemplatedApp =>
  uws
    .App()
    .ws<UserData>('/*', behavior(uws, maxPayloadBytes, handlers, hostSocket))
    .any('/*', (res, req) => {
      const header = headersOf(req);
      const asked = { method: req.getMethod(), peer: peerOf(res, req, hostSocket, header), header };
      const respond = (said: HttpAnswer): void => send(res, said, outgoing, asked.method === 'head');
      const said = handlers.http(asked);
      if (said instanceof Promise) whenSaid(res, said, respond);
      else respond(said);
    });

/**
 * RFC 6455 §4.2.1. The library upgrades whoever sends a key, and when one that waited had said `connection: close`, it closes it
 * in the middle of that and goes on with freed memory.
 */
const NO_UPGRADE: HttpAnswer = {
  status: '400 Bad Request',
  type: 'text/plain; charset=utf-8',
  body: 'a WebSocket is asked for with connection: upgrade\n',
};

const behavior = (
  uws: Uws,
  maxPayloadBytes: number,
  handlers: Handlers,
  hostSocket: boolean,
  upgrading = new Upgrading<UserData>(),
): WebSocketBehavior<UserData> => ({
  compression: uws.DISABLED,
  maxPayloadLength: maxPayloadBytes,
  maxBackpressure: limits.wire.maxBufferedBytes + maxPayloadBytes,
  idleTimeout: limits.wire.idleSeconds,
  sendPingsAutomatically: true,
  upgrade: (res, req, context) => {
    if (!req.getHeader('connection').toLowerCase().includes('upgrade')) return answer(res, NO_UPGRADE, false);
    const key = req.getHeader('sec-websocket-key');
    const wanted = new UwsUpgrade(upgrading, res, context, key, peerOf(res, req, hostSocket, headersOf(req)));
    handlers.upgrade(wanted);
    if (!wanted.over)
      res.onAborted(() => {
        wanted.over = true;
        handlers.aborted(wanted);
      });
  },
  open: (ws) => {
    const data = ws.getUserData();
    const { peer } = data;
    if (peer === undefined) return;
    delete data.peer;
    upgrading.opened(ws);
    const socket = new UwsSocket(ws);
    data.connection = { socket, receiver: handlers.open(socket, peer) };
  },
  message: (ws, message, binary) => ws.getUserData().connection?.receiver.message(Buffer.from(message), binary),
  dropped: (ws, message) => {
    const { connection } = ws.getUserData();
    const frame = Buffer.copyBytesFrom(new Uint8Array(message));
    /* In the middle of publishing no socket may be closed. */
    if (connection !== undefined) setImmediate(() => connection.receiver.dropped(frame));
  },
  close: (ws, code, message) => {
    upgrading.closed(ws);
    const { connection } = ws.getUserData();
    connection?.socket.gone();
    connection?.receiver.closed(code, Buffer.from(message).toString());
  },
});

class UwsUpgrade implements Upgrade {
  /** Answered, one way or the other, or gone. */
  over = false;

  constructor(
    private readonly upgrading: Upgrading<UserData>,
    private readonly res: HttpResponse,
    private readonly context: us_socket_context_t,
    private readonly key: string,
    readonly peer: Peer,
  ) {}

  /** No sub-protocol and no compression is ever agreed on. */
  proceed(): void {
    const { upgrading, res, context, key, peer } = this;
    this.over = true;
    upgrading.do(res, () => res.upgrade<UserData>({ peer }, key, '', '', context));
  }

  refuse(said: HttpAnswer): void {
    this.over = true;
    answer(this.res, said, false);
  }
}

const FORWARDING = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

const peerOf = (res: HttpResponse, req: HttpRequest, hostSocket: boolean, header: (name: string) => string): Peer => {
  return {
    address: hostSocket ? '' : canonicalAddress(Buffer.from(res.getRemoteAddress())),
    hostSocket,
    path: req.getUrl(),
    query: req.getQuery() ?? '',
    host: header('host'),
    origin: header('origin'),
    userAgent: header('user-agent'),
    forwardedFor: header('x-forwarded-for'),
    realIp: header('x-real-ip'),
    forwarded: FORWARDING.some((name) => header(name) !== ''),
  };
};

/** All lines of a header as one, in order (RFC 9110 §5.3): a proxy may add its line below that of the client. */
const headersOf = (req: HttpRequest): ((name: string) => string) => {
  const found = new Map<string, string>();
  req.forEach((name, value) => {
    const before = found.get(name);
    found.set(name, before === undefined ? value : `${before}, ${value}`);
  });
  return (name) => found.get(name) ?? '';
};

/** A machine without IPv6 has no `::1`, and that is no fault; any other address that is not there is one. */
const hasAddress = (host: string): boolean =>
  host !== '::1' ||
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
