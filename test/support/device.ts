import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import WebSocket from 'ws';
import { credentialsIn, credentialsShown } from './credentials.js';
import { checkFrame, checkResult } from './frames.js';

/* A client that says exactly what it is told to, to see what the gateway makes of it. */

export interface Key {
  readonly id: string;
  readonly publicKey: string;
  sign(text: string): string;
}

export const newKey = (): Key => {
  const { privateKey } = generateKeyPairSync('ed25519');
  return keyOf(privateKey);
};

const keyOf = (privateKey: KeyObject): Key => {
  const raw = Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return {
    id: createHash('sha256').update(raw).digest('hex'),
    publicKey: raw.toString('base64url'),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64url'),
  };
};

// biome-ignore lint/suspicious/noExplicitAny: frames are looked at in tests, whatever they hold.
export type Frame = any;

export interface Claims {
  readonly minProtocol?: number;
  readonly maxProtocol?: number;
  readonly client?: object;
  readonly role?: string;
  readonly scopes?: readonly string[];
  readonly auth?: { readonly token?: string; readonly deviceToken?: string; readonly password?: string };
  readonly caps?: readonly string[];
  readonly commands?: readonly string[];
}

/** Params of a connect, signed for this challenge. */
export const connectParams = (
  key: Key | undefined,
  challenge: { nonce: string; ts: number },
  claims: Claims = {},
): Frame => {
  const client = { id: 'cli', version: '2026.9.1', platform: 'linux', mode: 'cli', ...claims.client } as Frame;
  const {
    minProtocol = 4,
    maxProtocol = 4,
    role = 'operator',
    scopes = ['operator.read'],
    auth = {},
    caps = [],
    commands,
  } = claims;
  credentialsShown(auth);
  const fields = key && [
    'v3',
    key.id,
    client.id,
    client.mode,
    role,
    scopes.join(','),
    challenge.ts,
    auth.token ?? auth.deviceToken ?? '',
    challenge.nonce,
    client.platform.trim().toLowerCase(),
    (client.deviceFamily ?? '').trim().toLowerCase(),
  ];
  const device = key &&
    fields && {
      id: key.id,
      publicKey: key.publicKey,
      signature: key.sign(fields.join('|')),
      signedAt: challenge.ts,
      nonce: challenge.nonce,
    };
  return {
    minProtocol,
    maxProtocol,
    client,
    role,
    scopes,
    caps,
    ...(commands ? { commands } : {}),
    auth,
    ...(device ? { device } : {}),
  };
};

/** An open socket, and what came through it. */
export class Wire {
  readonly frames: Frame[] = [];
  closed: { code: number; reason: string } | undefined;
  private taken = 0;
  private wake: (() => void) | undefined;
  private dialect: number | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const frame = JSON.parse(String(data)) as Frame;
      this.dialect ??= frame.payload?.protocol;
      checkFrame(frame, this.dialect);
      credentialsIn(frame);
      this.frames.push(frame);
      this.wake?.();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.wake?.();
    });
    socket.on('error', () => {});
  }

  static open(address: number | string, headers: Readonly<Record<string, string>> = {}, path = '/'): Wire {
    const url = typeof address === 'number' ? `ws://127.0.0.1:${address}${path}` : address;
    return new Wire(new WebSocket(url, { headers, perMessageDeflate: false }));
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame));
  }

  /** The next frame that has not been taken, of those that fit. */
  async next(fits: (frame: Frame) => boolean = () => true, ms = 5000): Promise<Frame> {
    const deadline = Date.now() + ms;
    for (;;) {
      for (; this.taken < this.frames.length; ) {
        const frame = this.frames[this.taken++];
        if (fits(frame)) return frame;
      }
      if (this.closed !== undefined)
        throw new Error(`closed ${this.closed.code} ${this.closed.reason} instead of a frame`);
      await this.news(deadline);
    }
  }

  async close(): Promise<{ code: number; reason: string }> {
    const deadline = Date.now() + 5000;
    while (this.closed === undefined) await this.news(deadline);
    return this.closed;
  }

  async challenge(): Promise<{ nonce: string; ts: number }> {
    return (await this.next((frame) => frame.event === 'connect.challenge')).payload;
  }

  /** Calls and waits for the answer, whatever else comes before it. */
  async call(method: string, params?: unknown): Promise<Frame> {
    const id = randomUUID();
    this.send({ type: 'req', id, method, ...(params === undefined ? {} : { params }) });
    const answer = await this.next((frame) => frame.type === 'res' && frame.id === id);
    if (answer.ok) checkResult(method, answer.payload, this.dialect);
    return answer;
  }

  end(code = 1000): void {
    this.socket.close(code);
  }

  private news(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('nothing came in time')), Math.max(0, deadline - Date.now()));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Opens, answers the challenge, and returns the response to the connect with the wire it came through. */
export const connect = async (
  address: number | string,
  key: Key | undefined,
  claims: Claims = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<{ wire: Wire; answer: Frame }> => {
  const wire = Wire.open(address, headers);
  const challenge = await wire.challenge();
  wire.send({ type: 'req', id: 'c', method: 'connect', params: connectParams(key, challenge, claims) });
  return { wire, answer: await wire.next((frame) => frame.type === 'res' && frame.id === 'c') };
};

/** Not of this host, as far as the gateway can tell. */
export const REMOTE = { Host: 'gateway.example.test' };
