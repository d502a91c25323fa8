import { connect, type Socket } from 'node:net';

/*
 * A WebSocket client that costs less than what it measures: one buffer for all sockets to read into, a mask of zeros (RFC 6455 §5.3 takes any
 * key, and zeros need not be applied), and of a large frame only its head.
 */

export interface Place {
  readonly port: number;
  /** Our own address: each has 28,000 ports. */
  readonly from?: string | undefined;
  /** Lines of the upgrade beside the usual; a `Host` takes the place of the local one. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export interface Listener {
  /** A frame of text: its head, which is only ours until this returns, and how long it is. */
  text(head: Buffer, bytes: number): void;
  /** It is over: `1008 unauthorized`, `http 503`, `ECONNREFUSED`, `end`. */
  closed(how: string): void;
}

/** Of a larger frame no more is looked at. */
const HEAD = 1024;
const READ = Buffer.allocUnsafe(256 * 1024);
const HTTP_END = Buffer.from('\r\n\r\n');
const opcode = { text: 1, close: 8, ping: 9, pong: 10 } as const;

const upgradeOf = ({ port, headers = {} }: Place): string => {
  const lines = Object.entries({
    Host: `127.0.0.1:${port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET / HTTP/1.1\r\n${lines.join('')}\r\n`;
};

export const frameOf = (kind: number, body: Buffer | string): Buffer => {
  const size = Buffer.byteLength(body);
  const head = size < 126 ? 6 : size < 65_536 ? 8 : 14;
  const frame = Buffer.alloc(head + size);
  frame[0] = 0x80 | kind;
  frame[1] = 0x80 | (head === 6 ? size : head === 8 ? 126 : 127);
  if (head === 8) frame.writeUInt16BE(size, 2);
  if (head === 14) frame.writeBigUInt64BE(BigInt(size), 2);
  if (typeof body === 'string') frame.write(body, head);
  else body.copy(frame, head);
  return frame;
};

export class Wire {
  readonly socket: Socket;
  private rest: Buffer | undefined;
  /** Of a large frame: bytes that are still to come. */
  private skip = 0;
  private upgraded = false;
  private how: string | undefined;

  constructor(
    place: Place,
    /** Whoever is told; others may take over. */
    public listener: Listener,
  ) {
    this.socket = connect({
      host: '127.0.0.1',
      port: place.port,
      noDelay: true,
      ...(place.from === undefined ? {} : { localAddress: place.from }),
      onread: { buffer: READ, callback: (bytes) => this.take(READ.subarray(0, bytes)) },
    });
    this.socket.on('connect', () => this.socket.write(upgradeOf(place)));
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.how ??= error.code ?? error.message;
    });
    this.socket.on('close', () => this.listener.closed(this.how ?? 'end'));
  }

  send(text: string): void {
    this.socket.write(frameOf(opcode.text, text));
  }

  /** Several frames in one write. */
  sendAll(texts: readonly string[]): void {
    this.socket.write(Buffer.concat(texts.map((text) => frameOf(opcode.text, text))));
  }

  /** As polite clients do: the server closes next. */
  close(): void {
    this.socket.write(frameOf(opcode.close, Buffer.from([0x03, 0xe8])));
  }

  /** At once, with nothing said. */
  drop(): void {
    this.socket.destroy();
  }

  private take(data: Buffer): boolean {
    const bytes = this.rest === undefined ? data : Buffer.concat([this.rest, data]);
    this.rest = undefined;
    const from = this.upgraded ? 0 : this.upgrade(bytes);
    const at = this.upgraded ? this.frames(bytes, from) : 0;
    if (at < bytes.length) this.rest = Buffer.from(bytes.subarray(at));
    return true;
  }

  /** Where the frames begin. */
  private upgrade(bytes: Buffer): number {
    const end = bytes.indexOf(HTTP_END);
    if (end < 0) return 0;
    if (bytes.toString('latin1', 0, 12) !== 'HTTP/1.1 101') {
      this.how = `http ${bytes.toString('latin1', 9, 12)}`;
      this.socket.destroy();
      return 0;
    }
    this.upgraded = true;
    return end + HTTP_END.length;
  }

  /** How far it came. */
  private frames(bytes: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const skipped = Math.min(this.skip, bytes.length - at);
      this.skip -= skipped;
      at += skipped;
      const left = bytes.length - at;
      if (left < 2) return at;
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (left < start) return at;
      const size =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      if (left < start + Math.min(size, HEAD)) return at;
      const body = bytes.subarray(at + start, at + start + Math.min(size, HEAD));
      this.frame((bytes[at] ?? 0) & 0x0f, body, size);
      const here = Math.min(size, left - start);
      this.skip = size - here;
      at += start + here;
    }
  }

  private frame(kind: number, body: Buffer, size: number): void {
    switch (kind) {
      case opcode.text:
        return this.listener.text(body, size);
      case opcode.ping:
        return void this.socket.write(frameOf(opcode.pong, body));
      case opcode.close:
        this.how ??= size < 2 ? '1005' : `${body.readUInt16BE(0)} ${body.toString('utf8', 2)}`.trim();
        this.socket.end(frameOf(opcode.close, body.subarray(0, 2)));
        return;
      default:
    }
  }
}
