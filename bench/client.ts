import { once } from 'node:events';
import { connect as open, type Socket } from 'node:net';
import { connectParams, type Key } from '../test/support/device.js';

/*
 * A client that costs less than what it measures: frames are masked with zeros (RFC 6455 §5.3 takes any key), and answers are not
 * parsed beyond what is asked of them.
 */

/** The shared secret of the servers under measurement. */
export const TOKEN = 'bench-token-3f1c9a';

const HTTP_END = '\r\n\r\n';

export class Client {
  private readonly waiting: ((text: string | undefined) => void)[] = [];
  private readonly arrived: string[] = [];
  private rest: Buffer = Buffer.alloc(0);
  private upgraded = false;
  private over = false;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (data) => this.take(data));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.over = true;
      for (const resolve of this.waiting.splice(0)) resolve(undefined);
    });
  }

  static async open(port: number, host = `127.0.0.1:${port}`): Promise<Client> {
    const socket = open({ port, host: '127.0.0.1', noDelay: true });
    const client = new Client(socket);
    await once(socket, 'connect');
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13${HTTP_END}`,
    );
    return client;
  }

  send(text: string): void {
    const size = Buffer.byteLength(text);
    const long = size > 125;
    const head = long ? 8 : 6;
    const frame = Buffer.alloc(head + size);
    frame[0] = 0x81;
    frame[1] = 0x80 | (long ? 126 : size);
    if (long) frame.writeUInt16BE(size, 2);
    frame.write(text, head);
    this.socket.write(frame);
  }

  /** The next frame of text. */
  async next(): Promise<string> {
    const text =
      this.arrived.shift() ??
      (this.over ? undefined : await new Promise<string | undefined>((r) => this.waiting.push(r)));
    if (text === undefined) throw new Error('the server closed');
    return text;
  }

  /** The next answer, whatever else comes before it. */
  async answer(): Promise<string> {
    for (;;) {
      const text = await this.next();
      if (text.startsWith('{"type":"res"')) return text;
    }
  }

  async call(method: string, params = '{}'): Promise<string> {
    this.send(`{"type":"req","id":"1","method":"${method}","params":${params}}`);
    return await this.answer();
  }

  end(): void {
    this.socket.destroy();
  }

  private take(data: Buffer): void {
    this.rest = this.rest.length === 0 ? data : Buffer.concat([this.rest, data]);
    if (!this.upgraded) {
      const end = this.rest.indexOf(HTTP_END);
      if (end < 0) return;
      this.upgraded = true;
      this.rest = this.rest.subarray(end + HTTP_END.length);
    }
    while (this.rest.length >= 2) {
      const opcode = (this.rest[0] ?? 0) & 0x0f;
      const short = this.rest[1] ?? 0;
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.rest.length < start) return;
      const size =
        short < 126 ? short : short === 126 ? this.rest.readUInt16BE(2) : Number(this.rest.readBigUInt64BE(2));
      if (this.rest.length < start + size) return;
      if (opcode === 1) this.deliver(this.rest.toString('utf8', start, start + size));
      this.rest = this.rest.subarray(start + size);
    }
  }

  private deliver(text: string): void {
    const resolve = this.waiting.shift();
    if (resolve === undefined) this.arrived.push(text);
    else resolve(text);
  }
}

/** A whole connect with the shared secret and a device identity, up to its answer. */
export const handshake = async (
  port: number,
  key: Key,
  { scopes = ['operator.read'], host }: { readonly scopes?: readonly string[]; readonly host?: string } = {},
): Promise<{ readonly client: Client; readonly answer: string }> => {
  const client = await Client.open(port, host);
  const { payload } = JSON.parse(await client.next()) as { payload: { nonce: string; ts: number } };
  const params = connectParams(key, payload, { scopes, auth: { token: TOKEN } });
  client.send(JSON.stringify({ type: 'req', id: 'c', method: 'connect', params }));
  return { client, answer: await client.answer() };
};

/** One that must be let in. */
export const admitted = async (...args: Parameters<typeof handshake>): Promise<Client> => {
  const { client, answer } = await handshake(...args);
  if (answer.includes('"ok":true')) return client;
  client.end();
  throw new Error(`not let in: ${answer}`);
};
