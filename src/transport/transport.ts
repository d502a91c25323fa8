/*
 * What the gateway needs of a WebSocket server. The one on uWebSockets.js is beside this file; a simulation brings its own.
 */

/** Where a connection comes from: what the upgrade request said, copied, because the request dies with its handler. */
export interface Peer {
  /** Address of the socket's other end, canonical; empty on the socket file. */
  readonly address: string;
  /** It came through the socket file of the state folder. */
  readonly hostSocket: boolean;
  readonly path: string;
  /** What follows the `?`; empty without one. */
  readonly query: string;
  readonly host: string;
  readonly origin: string;
  readonly userAgent: string;
  readonly forwardedFor: string;
  readonly realIp: string;
  /** Any header by which a proxy says that it forwards for somebody else. */
  readonly forwarded: boolean;
}

export interface Socket {
  /** Bytes that wait because the other end does not read. */
  readonly buffered: number;
  /** False if the socket is gone, or its buffer is over the limit and the frame was not taken. */
  send(frame: string): boolean;
  /** From now on receives what is published under this topic. */
  join(topic: string): void;
  /** Sends what is buffered, then the close. `closed` is called before this returns. */
  end(code: number, reason: string): void;
  /** Is gone at once, with what is buffered. */
  cut(): void;
}

/** What a connection does with what happens to it. */
export interface Receiver {
  /** `data` is only valid during the call. */
  message(data: Buffer, binary: boolean): void;
  /** A published frame was not taken, because the buffer is over the limit. Called after the publishing. */
  dropped(frame: Buffer): void;
  closed(code: number, reason: string): void;
}

/** A body that is read as there is room for it. */
export interface Source {
  readonly bytes: number;
  /** At most so many bytes from there; fewer at its end. */
  read(at: number, bytes: number): Promise<Buffer>;
  /** It is not needed any more; called once. */
  close(): void;
}

export interface HttpAnswer {
  readonly status: string;
  readonly type: string;
  readonly body: string | Buffer | Source;
  /** Without one for `cache-control` it is `no-store`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request over plain HTTP, copied. */
export interface HttpAsked {
  /** In lower case. */
  readonly method: string;
  readonly peer: Peer;
  /** Of the request; empty where there is none. */
  header(name: string): string;
}

/** A request to become a WebSocket. Until it proceeds or is refused, which happens once, it waits and costs little. */
export interface Upgrade {
  readonly peer: Peer;
  /** `open` is called before this returns. */
  proceed(): void;
  refuse(answer: HttpAnswer): void;
}

export interface Handlers {
  upgrade(upgrade: Upgrade): void;
  /** Whoever asked for it went away meanwhile. */
  aborted(upgrade: Upgrade): void;
  open(socket: Socket, peer: Peer): Receiver;
  http(asked: HttpAsked): HttpAnswer | Promise<HttpAnswer>;
}

/** A port that somebody else has. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
  constructor(
    readonly host: string,
    readonly port: number,
  ) {
    super(`port ${port} on ${host} is already in use`);
  }
}

/** Whether other processes of this gateway listen on the port, too; the system deals connections out among them. */
export type PortSharing = 'alone' | 'shared';

export interface Listening {
  readonly host: string;
  readonly port: number;
}

export interface Transport {
  /** Listens on each host that this machine has, all on one port (0: any). Returns the addresses; throws PortTaken. */
  listen(hosts: readonly string[], port: number, sharing?: PortSharing): Promise<readonly Listening[]>;
  /** Listens on a socket file. False if it cannot. */
  listenOnFile(path: string): Promise<boolean>;
  publish(topic: string, frame: string): void;
  /** Stops listening; open connections stay. */
  stop(): void;
  /** Ends every connection that is still there, said hello or not. */
  close(): void;
}
